# What zsh would offer for a line: an interactive zsh on a terminal of its own, whose compadd writes to a file instead of showing.
# Use: zsh -f zsh-complete.zsh SCRIPT LINE, in a folder to complete files in.
zmodload zsh/zpty
folder=$(mktemp -d)
cat >$folder/setup <<END
autoload -Uz compinit && compinit -u -D && source ${(q)1}
offers=$folder/offers
END
cat >>$folder/setup <<'END'
compadd() {
  # Those that only fill an array of the completion functions offer nothing.
  if [[ " $* " == *" -"[OAD]" "* ]]; then builtin compadd "$@"; return; fi
  local -a found
  builtin compadd -O found "$@"
  local result=$?
  print -rl -- $found >>$offers
  return $result
}
finish() { print -r -- END >>$offers }
comppostfuncs=(finish)
bindkey '^I' complete-word
print READY >$offers
END
zpty -b asked zsh -f -i
zpty -w asked "source $folder/setup"
wait_for() {
  repeat 900; do
    while zpty -rt asked ignored; do :; done
    [[ -e $folder/offers ]] && grep -qx "$1" $folder/offers && return
    sleep 0.1
  done
}
wait_for READY
zpty -w -n asked "$2"$'\t'
wait_for END
zpty -d asked
grep -vx -e READY -e END -e '' $folder/offers | sort -u
rm -r $folder
