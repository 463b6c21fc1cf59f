import { limits } from './generation.ts';

export interface Size {
  width: number;
  height: number;
}

/**
 * The size at which a picture is drawn where the request has none: its own, cut down to the sides a model takes
 * (`multiple`), as long as it is at most four times what the model was trained on; otherwise that much, in its shape.
 */
export function naturalSize(picture: Size, model: Size, multiple: number): Size {
  const [area, trained] = [picture.width * picture.height, model.width * model.height];
  const scale = area > 4 * trained ? Math.sqrt(trained / area) : 1;
  const side = (pixels: number): number => {
    const fitting = Math.floor((pixels * scale) / multiple) * multiple;
    const least = Math.ceil(limits.minSide / multiple) * multiple;
    return Math.min(Math.max(fitting, least), Math.floor(limits.maxSide / multiple) * multiple);
  };
  return { width: side(picture.width), height: side(picture.height) };
}
