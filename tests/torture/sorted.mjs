// Returns the index of the first element of which `found` is true, or the list's length: it is false of all before that, and true
// of all after it.
export function firstIndex(list, found) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (found(list[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}
