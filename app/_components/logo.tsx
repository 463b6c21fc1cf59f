import styles from './logo.module.css';

/** The repeat sign of written music: play it again. Its bars are also those of a schedule, the thick one a key step. */
export function Logo() {
  return (
    <span className={styles.logo}>
      <svg viewBox="0 0 22 22" width="22" height="22" aria-hidden>
        <g className={styles.dots}>
          <circle cx="3" cy="7.4" r="2" />
          <circle cx="3" cy="14.6" r="2" />
        </g>
        <g fill="currentColor">
          <rect x="8.4" y="1" width="2" height="20" />
          <rect x="13.6" y="1" width="6.4" height="20" />
        </g>
      </svg>
      <span>Encore</span>
    </span>
  );
}
