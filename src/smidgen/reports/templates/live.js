// Says how old the page is and reads it again from the disk, unless somebody is reading a value or selecting text.
// What was unfolded and how far it was scrolled stay as they were.
(() => {
  const status = document.querySelector(".status");
  const age = document.getElementById("age");
  const tip = document.getElementById("tip");
  const refresh = Number(status.dataset.refresh) * 1000;
  const written = Number(status.dataset.written) * 1000;
  const key = `smidgen-live ${location.pathname}`;
  const folds = () => [...document.querySelectorAll("details")];

  // Browsers may refuse storage to pages from the disk; the page then merely opens folded.
  try {
    const kept = JSON.parse(sessionStorage.getItem(key) || "{}");
    folds().forEach((fold) => { fold.open = (kept.open || []).includes(fold.id); });
    if (kept.y) scrollTo({ top: kept.y, behavior: "instant" });
  } catch {}

  const duration = (seconds) =>
    seconds < 90 ? `${seconds} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;

  const tell = () => {
    const seconds = Math.max(0, Math.round((Date.now() - written) / 1000));
    const late = refresh && seconds > 300;
    age.textContent = `, ${duration(seconds)} ago${late ? ": nothing was measured since; the run may have ended" : ""}`;
    age.className = late ? "late" : "";
  };
  tell();
  setInterval(tell, 1000);

  const again = () => {
    if (document.hidden || !tip.hidden || String(getSelection())) return;
    try {
      const open = folds().filter((fold) => fold.open).map((fold) => fold.id);
      sessionStorage.setItem(key, JSON.stringify({ open, y: scrollY }));
    } catch {}
    location.reload();
  };
  if (refresh) setInterval(again, refresh);
})();
