import type { TaskName } from '../contracts/task-inputs.ts';

/** XMP as Encore writes it: the IPTC digital source type, and optionally the whole of what made the picture. */
const NAMESPACE = 'https://encore.local/ns/1.0/';

const SOURCE_TYPES = 'http://cv.iptc.org/newscodes/digitalsourcetype/';

/** https://cv.iptc.org/newscodes/digitalsourcetype/ */
export type SourceType = 'trainedAlgorithmicMedia' | 'compositeWithTrainedAlgorithmicMedia';

/** A picture that another picture is still part of is a composite. */
export function sourceTypeOf(task: TaskName): SourceType {
  const keepsPicture = task === 'image-to-image' || task === 'inpaint' || task === 'upscale';
  return keepsPicture ? 'compositeWithTrainedAlgorithmicMedia' : 'trainedAlgorithmicMedia';
}

/** Of XMP that {@link writeXmp} wrote. */
export function readSourceType(xmp: string | undefined): SourceType {
  return xmp?.includes('>' + SOURCE_TYPES + 'compositeWith') === true
    ? 'compositeWithTrainedAlgorithmicMedia'
    : 'trainedAlgorithmicMedia';
}

/** @param json see pictureJson; for formats that have no text chunks */
export function writeXmp(sourceType: SourceType, json?: string): string {
  return [
    '<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>',
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
    `<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:encore="${NAMESPACE}">`,
    `<Iptc4xmpExt:DigitalSourceType>${SOURCE_TYPES}${sourceType}</Iptc4xmpExt:DigitalSourceType>`,
    json === undefined ? '' : `<encore:picture>${escape(json)}</encore:picture>`,
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>',
  ].join('');
}

/** The JSON that {@link writeXmp} was given; null when this is someone else's XMP. */
export function readXmpJson(xmp: string): string | null {
  const match = /<encore:picture>([^<]*)<\/encore:picture>/.exec(xmp);
  return match === null ? null : unescape(match[1] as string);
}

const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;' } as const;

function escape(text: string): string {
  return text.replace(/[&<>]/g, (letter) => entities[letter as keyof typeof entities]);
}

function unescape(text: string): string {
  return Object.entries(entities).reduceRight(
    (rest, [letter, entity]) => rest.replaceAll(entity, letter),
    text,
  );
}
