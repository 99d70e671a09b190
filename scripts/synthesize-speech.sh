#!/bin/sh
# Synthesizes fixtures/speech/ID.wav for every line of fixtures/speech/lines.tsv: 8 kHz mono
# μ-law at about −20 dBFS RMS. Needs espeak-ng and sox. Only for new or changed lines; the
# WAV files are committed. Arguments, if any, are the ids to do.
set -eu
cd "$(dirname "$0")/../fixtures/speech"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tab=$(printf '\t')
grep -v '^#' lines.tsv | while IFS="$tab" read -r id voice text; do
  if [ $# -gt 0 ]; then
    case " $* " in *" $id "*) ;; *) continue ;; esac
  fi
  # Pitch and speed depend on the id, so that equal words in two lines are not equal bytes: the
  # simulator tells the lines apart by their bytes.
  seed=$(printf %s "$id" | cksum | cut -d' ' -f1)
  # Words called into somebody's speech are long: at reading speed "no" would last 200 ms.
  case $id in lab/*-stop) speed=90 ;; lab/*) speed=145 ;; *) speed=212 ;; esac
  espeak-ng -v "$voice" -s $((speed + seed % 17)) -p $((42 + seed / 17 % 17)) -w "$work/raw.wav" -- "$text"
  # No silence at the ends, and no pause longer than 100 ms, which a voice activity detector
  # would take for the end of the turn. -R makes the dither the same in every run.
  sox -R "$work/raw.wav" -r 8000 -c 1 -b 16 "$work/line.wav" highpass 200 gain -h -6 rate 8000 \
    silence -l 1 0.01 0.5% -1 0.1 0.5% reverse silence 1 0.01 0.5% reverse
  level=$(sox "$work/line.wav" -n stats 2>&1 | awk '/^RMS lev dB/ { print $4 }')
  mkdir -p "$(dirname "$id")"
  sox -R "$work/line.wav" -e u-law "$id.wav" gain "$(awk "BEGIN { print -20 - ($level) }")" 2>/dev/null
  printf '%s %s s\n' "$id" "$(soxi -D "$id.wav")"
done
