// Light, dark, or as the system has it. Kept by this browser; the tokens of ui/tokens.css do the rest.

export type Theme = 'system' | 'light' | 'dark';
const KEY = 'autocode-theme';

/** The theme that was chosen here. */
export function chosenTheme(): Theme {
  const kept = localStorage.getItem(KEY);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

/** Chooses one, and shows it. */
export function chooseTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  applyTheme();
}

/** Shows the chosen theme. */
export function applyTheme(): void {
  const theme = chosenTheme();
  if (theme === 'system') document.documentElement.removeAttribute('data-theme');
  else document.documentElement.dataset.theme = theme;
}
