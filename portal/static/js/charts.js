// Draws the charts on canvas; their numbers stand beside them as text, so a chart is never the only source.
(() => {
  const LOOKS = { satisfied: "ok", not_satisfied: "gap", undetermined: "none", not_applicable: "na" };
  const COLOURS = {
    light: { ok: "#2a8f5b", gap: "#c43a33", none: "#b9c5cd", na: "#dbe2e7", unseen: "#d69a20", run: "#2b7fb3", text: "#1d2830", line: "#dbe2e7", surface: "#ffffff" },
    dark: { ok: "#4fb683", gap: "#ee7168", none: "#53626d", na: "#36434d", unseen: "#dca94b", run: "#5aaede", text: "#e3e9ed", line: "#36434d", surface: "#192128" },
  };
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  function donut(rows, colours) {
    const evidenced = rows.find(([status]) => status === "satisfied")[2];
    const total = rows.reduce((sum, row) => sum + row[2], 0);
    return {
      animation: !still,
      tooltip: { renderMode: "richText", formatter: (point) => `${point.name}: ${point.value}` },
      title: {
        text: `${evidenced} of ${total}`, subtext: "evidenced", left: "center", top: "center", itemGap: 6,
        textStyle: { color: colours.text, fontSize: 20, lineHeight: 24 }, subtextStyle: { color: colours.text, fontSize: 13, lineHeight: 18 },
      },
      series: [{
        type: "pie", radius: ["66%", "92%"], label: { show: false }, emphasis: { scale: false },
        itemStyle: { borderColor: colours.surface, borderWidth: 2 },
        data: rows.map(([status, name, value]) => ({ name, value, itemStyle: { color: colours[LOOKS[status]] } })),
      }],
    };
  }

  // What stacks and areas share: data is {labels, series: [{name, look, values}]}.
  function frame(data, colours) {
    return {
      animation: !still,
      aria: { enabled: false },
      color: data.series.map((each) => colours[each.look]),
      tooltip: { trigger: "axis", renderMode: "richText", axisPointer: { type: "shadow" } },
      grid: { left: 8, right: 24, top: 12, bottom: 8, containLabel: true },
    };
  }

  function stacks(data, colours) {
    const labels = { color: colours.text };
    return {
      ...frame(data, colours),
      xAxis: { type: "value", minInterval: 1, axisLabel: labels, splitLine: { lineStyle: { color: colours.line } } },
      yAxis: { type: "category", inverse: true, data: data.labels, axisLabel: labels, axisTick: { show: false } },
      series: data.series.map((each) => ({ name: each.name, type: "bar", stack: "all", barMaxWidth: 28, data: each.values })),
    };
  }

  // An area between one or two weeks has no width to be seen: until there are more, each week is a bar.
  function areas(data, colours) {
    const labels = { color: colours.text };
    const few = data.labels.filter((_, week) => data.series.some((each) => each.values[week])).length < 3;
    return {
      ...frame(data, colours),
      xAxis: { type: "category", boundaryGap: few, data: data.labels, axisLabel: labels },
      yAxis: { type: "value", minInterval: 1, axisLabel: labels, splitLine: { lineStyle: { color: colours.line } } },
      series: data.series.map((each) => ({ name: each.name, type: few ? "bar" : "line", barMaxWidth: 28, stack: "all", step: "end", symbol: "none", areaStyle: { opacity: .85 }, lineStyle: { width: 0 }, data: each.values })),
    };
  }

  const KINDS = { donut, stacks, areas };

  function draw(box) {
    const rows = JSON.parse(document.getElementById(box.dataset.source).textContent);
    const theme = document.documentElement.getAttribute("data-bs-theme") === "dark" ? "dark" : "light";
    const chart = echarts.getInstanceByDom(box) || echarts.init(box, null, { renderer: "canvas" });
    chart.setOption(KINDS[box.dataset.chart](rows, COLOURS[theme]), true);
    return chart;
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const box of document.querySelectorAll("[data-chart]")) {
      const chart = draw(box);
      new ResizeObserver(() => chart.resize()).observe(box);
      document.addEventListener("theme", () => draw(box));
    }
  });
})();
