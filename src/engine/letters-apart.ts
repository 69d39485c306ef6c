/**
 * How far apart two names are, in letters to be typed otherwise (Levenshtein). Asked where somebody may have meant another name.
 */
import { distance } from "fastest-levenshtein";

export function lettersApart(one: string, other: string): number {
  return distance(one, other);
}
