/** Addresses of a picture of which only the id is known: an upload, or one of the history. */
export const pictureUrl = (id: string): string => `/api/v1/pictures/${id}/file`;

/** What a preprocessor makes of a picture. */
export const controlUrl = (id: string, preprocessor: string): string =>
  `/api/v1/pictures/${id}/control?preprocessor=${preprocessor}`;

/** Loads a picture so that a canvas may read it. Rejects where it cannot be shown. */
export async function loadImage(url: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}
