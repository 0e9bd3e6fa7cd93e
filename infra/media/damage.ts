/**
 * What the programs say of bytes that are not what they were. Noise of good files is no damage: a
 * stream that begins between key frames; in a file of a few ranges, what lies in its holes.
 */

const inPictures = /error while decoding MB|concealing \d+/
const inContainers =
  /Invalid NAL unit size|ended prematurely|partial file|[Cc]orrupt|invalid as first byte of an EBML|Invalid compressed header/

export const tellsOfDamage = (stderr: string, isCut: boolean): boolean =>
  inPictures.test(stderr) || (!isCut && inContainers.test(stderr))
