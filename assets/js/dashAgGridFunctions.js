// Functions that grids may name. The grid takes its colours from the theme's CSS variables.
window.dashAgGridFunctions = window.dashAgGridFunctions || {};

window.dashAgGridFunctions.fundwatchGrid = (base) =>
  base.withParams({
    accentColor: "var(--fw-accent)",
    backgroundColor: "var(--fw-panel)",
    foregroundColor: "var(--fw-text)",
    headerBackgroundColor: "var(--fw-panel)",
    headerTextColor: "var(--fw-muted)",
    headerFontWeight: 500,
    borderColor: "var(--fw-line)",
    rowHoverColor: "var(--fw-raised)",
    oddRowBackgroundColor: "var(--fw-panel)",
    selectedRowBackgroundColor: "var(--fw-raised)",
    fontFamily: "inherit",
    fontSize: 12,
    headerFontSize: 11,
    spacing: 5,
    wrapperBorder: false,
    wrapperBorderRadius: 0,
    headerColumnResizeHandleColor: "var(--fw-line)",
    browserColorScheme: "inherit",
  });

window.dashAgGridFunctions.bytes = (value) => {
  if (value == null) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let size = Math.abs(value);
  let power = 0;
  while (power < units.length - 1 && size >= 999.5) {
    size /= 1024;
    power += 1;
  }
  const digits = power === 0 ? 0 : size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
  return `${value < 0 ? "\u2212" : ""}${size.toFixed(digits)} ${units[power]}`;
};

window.dashAgGridFunctions.percent = (ratio) => {
  if (ratio == null) return "–";
  const value = Math.abs(ratio * 100);
  return `${ratio < 0 ? "\u2212" : ""}${value.toFixed(value < 9.995 ? 2 : 1)} %`;
};

window.dashAgGridFunctions.span = (seconds) => (seconds == null ? "–" : window.fundwatch.span(seconds));
