/** How lines differ beside their colour, in the order of the series. */
export const DASHES: readonly (readonly number[])[] = [[], [8, 4], [3, 3], [12, 4, 3, 4], [6, 2], [2, 5], [14, 5]];
