# The lab's one image, and the base image below it. Sourced by `lab`.

if command -v sha256sum >/dev/null 2>&1; then sha256() { sha256sum "$@"; }; else sha256() { shasum -a 256 "$@"; }; fi

# hash_tree DIR [PATH…]: one hash over names and contents
hash_tree() {
    (
        cd "$1"
        shift
        find "${@:-.}" -type f ! -path '*/__pycache__/*' ! -name '.env' | LC_ALL=C sort |
            while IFS= read -r file; do sha256 "$file"; done | sha256 | cut -d ' ' -f 1
    )
}

ensure_base() {
    local dir
    docker image inspect "$base" >/dev/null 2>&1 && return
    say "base image $base is missing: asking the registry"
    ! docker pull -q "$base" >/dev/null 2>&1 || return 0
    say "no registry can be reached: making $base with debootstrap"
    command -v debootstrap >/dev/null 2>&1 || fail "debootstrap is not installed, and $base can't be pulled: install it, or load the image"
    [ "$(id -u)" = 0 ] || fail "making $base with debootstrap needs root: run 'sudo lab image' once, or load the image"
    dir=$(mktemp -d)
    debootstrap --variant=minbase bookworm "$dir" "${RATIBA_LAB_MIRROR:-http://deb.debian.org/debian}" >"$dir.log" 2>&1 || {
        tail -n 5 "$dir.log" >&2
        rm -rf "$dir" "$dir.log"
        fail "debootstrap failed"
    }
    rm -rf "$dir"/var/cache/apt/archives/*.deb "$dir"/var/lib/apt/lists/*
    tar -C "$dir" -c . | docker import - "$base" >/dev/null
    rm -rf "$dir" "$dir.log"
}

ca_file() {
    local file
    for file in "${RATIBA_LAB_CA_FILE:-}" "${SSL_CERT_FILE:-}" "${PIP_CERT:-}" "${REQUESTS_CA_BUNDLE:-}"; do
        if [ -n "$file" ]; then
            [ -r "$file" ] || fail "the CA file $file can't be read"
            echo "$file"
            return
        fi
    done
    if [ -r /etc/ssl/certs/ca-certificates.crt ]; then echo /etc/ssl/certs/ca-certificates.crt; fi
}

# ensure_image [TAG]: leaves the image's name in $image; builds when its sources have changed
ensure_image() {
    local context ca log name args=()
    image=ratiba-lab:$(hash_tree "$stack" docker/lab.Dockerfile docker/bin backend/requirements.txt | cut -c 1-12)
    if [ -n "${1:-}" ] && docker image inspect "$1" >/dev/null 2>&1; then image=$1; fi
    docker image inspect "$image" >/dev/null 2>&1 && return
    ensure_base
    say "building $image (about a minute)"
    context=$(mktemp -d)
    log=$context.log
    cp "$stack/docker/lab.Dockerfile" "$context/Dockerfile"
    cp "$stack/backend/requirements.txt" "$context/"
    cp -R "$stack/docker/bin" "$context/bin"
    ca=$(ca_file)
    if [ -n "$ca" ]; then cp "$ca" "$context/extra-ca.crt"; else : >"$context/extra-ca.crt"; fi
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY PIP_INDEX_URL; do
        if [ -n "${!name:-}" ]; then args[${#args[@]}]=--build-arg; args[${#args[@]}]=$name; fi
    done
    docker build -t "$image" ${args[@]+"${args[@]}"} "$context" >"$log" 2>&1 || {
        tail -n 25 "$log" >&2
        rm -rf "$context" "$log"
        fail "the image could not be built"
    }
    rm -rf "$context" "$log"
}
