// Measures the page that is open: returns its faults as sentences. The argument is what a visit
// expects: { phone: whether the window is as narrow as a phone's }.
({ phone }) => {
  const faults = [];
  const all = [...document.querySelectorAll("body *")];
  const isVisible = (element) => element.checkVisibility({ visibilityProperty: true });
  const name = (element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 120);
  const report = (fault, elements) => {
    if (elements.length) faults.push(`${fault}: ${elements.slice(0, 5).map(name).join(" | ")}`);
  };

  // Structure
  if (!document.documentElement.lang) faults.push("no language");
  if (!document.title.trim()) faults.push("no title");
  const headings = [...document.querySelectorAll("h1")].filter(isVisible);
  if (headings.length !== 1) faults.push(`${headings.length} headings of the first level`);
  for (const landmark of ["main", "body > header", "nav[aria-label]"]) {
    if (!document.querySelector(landmark)) faults.push(`no ${landmark}`);
  }
  report("no alternative text", all.filter((it) => it.matches("img:not([alt])")));
  const ids = all.map((it) => it.id).filter(Boolean);
  const repeated = ids.filter((id, at) => ids.indexOf(id) !== at);
  if (repeated.length) faults.push(`ids that are not unique: ${repeated}`);

  // Nothing is wider than the window, and nothing scrolls sideways in it.
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) {
    const wide = all.filter((it) => it.getBoundingClientRect().right > width + 1);
    report(`${document.documentElement.scrollWidth} px wide in a window of ${width} px`, wide);
  }
  const scrolls = (it) => /auto|scroll/.test(getComputedStyle(it).overflowX);
  report("scrolls sideways", all.filter((it) => scrolls(it) && it.scrollWidth > it.clientWidth + 1));

  // A finger needs 40 px, except for a link within a sentence.
  const lettersOf = (it) => it.textContent.replace(/[^\p{L}]/gu, "").length;
  const isInSentence = (it) => {
    const block = it.closest("p, li, dd, td, figcaption, summary, label");
    if (!block || !it.matches("a") || getComputedStyle(it).display !== "inline") return false;
    const linked = [...block.querySelectorAll("a")].reduce((sum, each) => sum + lettersOf(each), 0);
    return lettersOf(block) - linked >= 5;
  };
  const isSmall = (it) => {
    const label = it.matches("[type=checkbox], [type=radio]") && it.closest("label");
    const parts = [it, ...it.querySelectorAll("*")].filter(isVisible);
    const boxes = (label ? [label] : parts).map((part) => part.getBoundingClientRect());
    const size = (low, high) =>
      Math.max(...boxes.map((box) => box[high])) - Math.min(...boxes.map((box) => box[low]));
    return size("top", "bottom") < 39.5 || size("left", "right") < 39.5;
  };
  const isHidden = (it) => it.getBoundingClientRect().right <= 1 || it.closest("[aria-hidden=true]");
  const controls = [
    ...document.querySelectorAll("a[href], button, select, summary, textarea, input:not([type=hidden])"),
  ].filter((it) => isVisible(it) && !isHidden(it));
  const reachesOut = (it) => it.getBoundingClientRect().right > it.parentElement.getBoundingClientRect().right + 1;
  report("wider than what is around it", controls.filter((it) => it.matches("input, select") && reachesOut(it)));
  if (phone) report("too small for a finger", controls.filter((it) => isSmall(it) && !isInSentence(it)));

  // The visit has pressed a key before, so that the focus is shown.
  const isFocusUnseen = (it) => {
    it.focus();
    if (document.activeElement !== it) return true;
    const look = getComputedStyle(it);
    const isThin = parseFloat(look.outlineWidth) < 2 && look.outlineStyle !== "auto";
    return look.outlineStyle === "none" || isThin;
  };
  report("the focus cannot be seen", controls.filter((it) => it.tabIndex >= 0 && isFocusUnseen(it)));
  document.activeElement.blur();

  // The visit asks for no motion.
  const moves = (it) => {
    const look = getComputedStyle(it);
    const times = `${look.transitionDuration}, ${look.animationDuration}`.split(", ");
    return times.some((time) => parseFloat(time) > 0.01);
  };
  report("moves", all.filter(moves));
  return faults;
}
