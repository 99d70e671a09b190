#!/bin/sh
# Fills target/lab/ with the audio that `sim lab hearing` measures on: Asterisk's prompts and hold
# music from Debian's packages (CC-BY-SA and public; never committed) and synthetic voices.
# Downloads by apt, installs nothing; needs apt-get, dpkg-deb, espeak-ng and sox.
set -eu
lab=$(dirname "$0")/../target/lab
mkdir -p "$lab/packages"
lab=$(cd "$lab" && pwd)

cd "$lab/packages"
for package in asterisk-core-sounds-en-wav asterisk-core-sounds-es-wav asterisk-core-sounds-fr-wav \
  asterisk-moh-opsound-wav; do
  ls "$package"_*.deb >/dev/null 2>&1 || apt-get download -q "$package"
  dpkg-deb -x "$package"_*.deb "$lab/packages"
done
# All of them are 8 kHz, mono, 16 bit: as the lab wants them.
rm -rf "$lab/sounds" "$lab/moh" "$lab/voices"
cp -r usr/share/asterisk/sounds usr/share/asterisk/moh "$lab"

# say GROUP NUMBER VOICE SPEED PITCH TEXT
say() {
  mkdir -p "$lab/voices/$1"
  espeak-ng -m -v "$3" -s "$4" -p "$5" -w "$lab/raw.wav" -- "$6"
  # The same dither in every run (-R), no silence at the ends.
  sox -R "$lab/raw.wav" -r 8000 -c 1 -b 16 "$lab/voices/$1/$2.wav" gain -h -3 rate 8000 \
    silence 1 0.01 0.5% reverse silence 1 0.01 0.5% reverse 2>/dev/null
}

number=0
while read -r line; do
  number=$((number + 1))
  for voice in m1 m3 m7 Andy grandpa; do
    say male "$number-$voice" "en-us+$voice" 170 35 "$line"
  done
  for voice in f5 Annie; do
    say child "$number-$voice" "en-us+$voice" 190 99 "$line"
  done
  say whisper "$number" "en-us+whisper" 160 50 "$line"
  # Every word at its own pitch, and slow: a song without a tune.
  sung=$(printf %s "$line" | awk '{ for (i = 1; i <= NF; i++)
    printf "<prosody pitch=\"%d%%\" range=\"0%%\" rate=\"45%%\">%s</prosody> ", 70 + (i * 37) % 90, $i }')
  say singing "$number-f3" "en-us+f3" 140 60 "<speak>$sung</speak>"
  say singing "$number-m3" "en-us+m3" 140 45 "<speak>$sung</speak>"
done <<END
Hello, pizza place, what can I get you?
No wait, that is not what I said.
Sorry, could you say that again please?
Okay, one large pepperoni, anything else?
Hold on a second, let me check.
We are out of mushrooms today.
That will be twenty four dollars and fifty cents.
Yes.
No, stop, stop, the address is wrong.
Can you spell your name for me?
END
rm -f "$lab/raw.wav"
echo "target/lab: $(find "$lab/sounds" "$lab/moh" "$lab/voices" -name '*.wav' | wc -l) files"
