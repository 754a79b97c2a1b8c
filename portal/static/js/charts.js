// Draws the charts on canvas; their numbers stand beside them as text, so a chart is never the only source.
(() => {
  const LOOKS = { satisfied: "ok", not_satisfied: "gap", undetermined: "none", not_applicable: "na" };
  const COLOURS = {
    light: { ok: "#2a8f5b", gap: "#c43a33", none: "#b9c5cd", na: "#dbe2e7", text: "#1d2830", surface: "#ffffff" },
    dark: { ok: "#4fb683", gap: "#ee7168", none: "#53626d", na: "#36434d", text: "#e3e9ed", surface: "#192128" },
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

  function draw(box) {
    const rows = JSON.parse(document.getElementById(box.dataset.source).textContent);
    const theme = document.documentElement.getAttribute("data-bs-theme") === "dark" ? "dark" : "light";
    const chart = echarts.getInstanceByDom(box) || echarts.init(box, null, { renderer: "canvas" });
    chart.setOption(donut(rows, COLOURS[theme]), true);
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
