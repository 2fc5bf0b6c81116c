// The script of a flame graph: click a frame to zoom, Search or / to find names, Esc to go back.
// A frame is <g class="f" data-s=START data-v=VALUE>: its place among all that was counted.
"use strict";
const root = document.getElementById("frames");
const left = +root.dataset.x, wide = +root.dataset.width, letter = +root.dataset.letter;
const byId = (id) => document.getElementById(id);
const frames = Array.from(root.getElementsByClassName("f"), (g) => ({
	g, rect: g.querySelector("rect"), text: g.querySelector("text"),
	title: g.querySelector("title").textContent,
	name: g.querySelector("title").textContent.replace(/ \([^(]*\)$/, ""),
	start: +g.dataset.s, value: +g.dataset.v, y: +g.querySelector("rect").getAttribute("y"),
}));

function place(frame, x, width) {
	const fits = Math.floor((width - 6) / letter), letters = Array.from(frame.name);

	frame.rect.setAttribute("x", x.toFixed(2));
	frame.rect.setAttribute("width", width.toFixed(2));
	frame.text.setAttribute("x", (x + 3).toFixed(2));
	frame.text.textContent = fits < 3 ? ""
		: letters.length <= fits ? frame.name : letters.slice(0, fits - 2).join("") + "..";
}

// What is called from the frame fills the width; what it was called from is as wide, and faint.
function zoom(to) {
	const end = to.start + to.value, scale = wide / to.value;

	for (const frame of frames) {
		const below = frame.y > to.y && frame.start <= to.start && frame.start + frame.value >= end;
		const inside = frame.y <= to.y && frame.start >= to.start && frame.start + frame.value <= end;

		frame.g.classList.toggle("hidden", !below && !inside);
		frame.g.classList.toggle("below", below);
		if (below)
			place(frame, left, wide);
		else if (inside)
			place(frame, left + (frame.start - to.start) * scale, frame.value * scale);
	}
	byId("reset").classList.toggle("hidden", to === frames[0]);
}

// Frames in frames that match are not counted twice.
function search(pattern) {
	let matches = () => false, end = -1, sum = 0, found = [];

	if (pattern) {
		try {
			const regexp = new RegExp(pattern);
			matches = (name) => regexp.test(name);
		} catch {
			matches = (name) => name.includes(pattern);
		}
	}
	for (const frame of frames) {
		const match = matches(frame.name);

		frame.g.classList.toggle("found", match);
		if (match)
			found.push(frame);
	}
	found.sort((a, b) => a.start - b.start || b.value - a.value);
	for (const frame of found) {
		if (frame.start < end)
			continue;
		sum += frame.value;
		end = frame.start + frame.value;
	}
	byId("matched").textContent = pattern
		? `Matched: ${(100 * sum / frames[0].value).toFixed(2)}%` : " ";
	byId("search").textContent = pattern ? "Reset search" : "Search";
}

function toggleSearch() {
	const reset = byId("search").textContent !== "Search";

	search(reset ? "" : prompt("Names that match (a regular expression):") || "");
}

if (frames.length) {
	for (const frame of frames) {
		frame.g.addEventListener("click", () => zoom(frame));
		frame.g.addEventListener("mouseover", () => { byId("details").textContent = frame.title; });
		frame.g.addEventListener("mouseout", () => { byId("details").textContent = " "; });
	}
	byId("reset").addEventListener("click", () => zoom(frames[0]));
	byId("search").addEventListener("click", toggleSearch);
	addEventListener("keydown", (event) => {
		if (event.key === "/" || (event.key === "f" && event.ctrlKey)) {
			event.preventDefault();
			toggleSearch();
		} else if (event.key === "Escape") {
			zoom(frames[0]);
			search("");
		}
	});
}
