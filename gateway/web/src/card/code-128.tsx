// Code 128, set C: pairs of digits, for scanners that read only lines (ISO/IEC 15417).

/** Widths of bars and spaces of the values 0 to 105, then of stop. */
const PATTERNS = (
  '212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 ' +
  '123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 ' +
  '232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 ' +
  '313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 ' +
  '111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 ' +
  '111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 ' +
  '114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112'
).split(' ');
const START_C = 105;
const STOP = 106;
/** Light modules that a scanner wants on either side. */
const QUIET_MODULES = 10;

export function patterns(): readonly string[] {
  return PATTERNS;
}

/** The widths of bars and spaces in turn, a bar first. */
export function widths(digits: string): number[] {
  if (!/^(?:[0-9]{2})+$/.test(digits)) throw new RangeError('an even number of digits');
  const values = (digits.match(/../g) ?? []).map(Number);
  const sum = values.reduce((total, value, index) => total + value * (index + 1), START_C);
  return [START_C, ...values, sum % 103, STOP].flatMap((value) => [...(PATTERNS[value] ?? '')].map(Number));
}

export function Code128({ digits, label }: { digits: string; label: string }) {
  let at = QUIET_MODULES;
  let path = '';
  widths(digits).forEach((width, index) => {
    if (index % 2 === 0) path += `M${at} 0h${width}v1h-${width}z`;
    at += width;
  });
  const size = at + QUIET_MODULES;
  return (
    <svg
      class="bars"
      viewBox={`0 0 ${size} 1`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
      shape-rendering="crispEdges"
    >
      <rect width={size} height="1" fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
