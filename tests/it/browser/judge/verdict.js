const runs = textRuns();
judgeViewport();
judgeCutText(runs);
judgeTextOnText(runs);
judgeTextSize(runs);
judgeCharts();
judgeContrast(runs);
judgeChartContrast();
judgeStructure();
const faults = [...found].flatMap(([kind, all]) =>
  all.length > PER_KIND ? [...all.slice(0, PER_KIND), `${kind}: and ${all.length - PER_KIND} more`] : all);
return {
  faults,
  texts: runs.length,
  scrollWidth: document.documentElement.scrollWidth,
  innerWidth: document.documentElement.clientWidth,
};
