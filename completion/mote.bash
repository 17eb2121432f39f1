# Completion of mote's command line for bash: source it, or install it as
# /usr/share/bash-completion/completions/mote.
# shellcheck shell=bash

# The options of a verb.
_mote_options()
{
    case $1 in
    train)
        echo "-o --outputs --label --labels --one-hot --net --augment --teacher --epochs --smoothing" \
            "--mixup --ema --restarts --balance --steps --tune --activation --skip --no-skip --weights --method" \
            "--loss --in --hidden --kernel --out --out-lsb --time --seed --threads --samples --test --name" \
            "--checkpoint --resume --target --optimise --flash --ram --cycles --verbose"
        ;;
    eval) echo "--label --labels --threads --samples" ;;
    run) echo "--raw --probabilities" ;;
    emit) echo "-o --name --optimise --layers --kernel --asm --constant-time --selftest --target --flash --ram --cycles --explain" ;;
    measure) echo "--target --optimise --layers --kernel --asm --constant-time --vectors --data --labels --flash --ram --cycles --keep" ;;
    prove) echo "--optimise --layers --kernel --target --model --timeout --keep" ;;
    esac
    echo "--json --help"
}

# The values of an option; status 1 where it takes a file, 2 where it takes anything.
_mote_values()
{
    case $1 in
    --activation) echo "cubic psig relu abs leaky clip" ;;
    --method) echo "auto lsq qat" ;;
    --steps) echo "fixed learned" ;;
    --loss) echo "auto mse huber cross-entropy log" ;;
    --in) echo "u8 i8 u16 i16" ;;
    --hidden) echo "i8 u8 i16" ;;
    --out) echo "i8 i16 i32" ;;
    --weights) echo "2 3 4 5 6 7 8 9 ternary" ;;
    --optimise | --layers) echo "size speed balanced" ;;
    --kernel)
        [ "${COMP_WORDS[1]}" = train ] && echo "any packed" ||
            echo "loop line packed bits narrow narrowline loop4 loop2 ternary quad dsp shifts vector vector16"
        ;;
    --model) echo "16 32" ;;
    --net) echo "auto" ;;
    --target) "${COMP_WORDS[0]}" targets 2>/dev/null | awk 'NR > 1 { print $1 } END { print "all" }' ;;
    -o | --test | --checkpoint | --labels | --data) return 1 ;;
    --augment) echo "none" ;;
    --outputs | --label | --teacher | --epochs | --smoothing | --mixup | --ema | --restarts | --tune | \
        --out-lsb | --time | --seed | --threads | --samples | --name | --flash | \
        --ram | --cycles | --vectors | --selftest | --timeout) return 2 ;;
    *) return 3 ;;
    esac
}

_mote()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]}
    local words
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="train eval run emit measure prove show targets help --help --version"
    elif [ "$verb" = help ]; then
        words="train eval run emit measure prove show targets net"
    else
        words=$(_mote_values "$before")
        case $? in
        1) words= ;;
        2) return ;;
        3) words=$(_mote_options "$verb") ;;
        esac
        case $word in
        -*) ;;
        *) case $words in -*) words= ;; esac ;; # a word that is no option is a file
        esac
    fi
    if [ -n "$words" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}

complete -o filenames -F _mote mote
