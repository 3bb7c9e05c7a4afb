# An instance: a checkout with its own secrets and ports. Sourced by `lab`.

lock() {
    mkdir -p "$home"
    local file=$home/.$project.lock waited=0
    until mkdir "$file" 2>/dev/null; do
        if ! kill -0 "$(cat "$file/pid" 2>/dev/null || echo 0)" 2>/dev/null && [ $waited -ge 2 ]; then
            rm -rf "$file"
            continue
        fi
        [ $waited -lt 300 ] || fail "another lab command holds $file"
        sleep 1
        waited=$((waited + 1))
    done
    echo $$ >"$file/pid"
    trap unlock EXIT
}

unlock() { rm -rf "$home/.$project.lock"; }

json() { printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g'; }

env_value() { [ -f "$checkout/.env" ] && sed -n "s/^$1=//p" "$checkout/.env" | tail -n 1 || true; }

hex() { od -An -v -N $((($1 + 1) / 2)) -tx1 /dev/urandom | tr -d ' \n' | cut -c "1-$1"; }

# Fills in what stands in <angle brackets> in .env.example.
make_env() {
    local line head value same
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
        '#'*) ;;
        *'<'*'>')
            head=${line%%<*}
            value=${line#*<}
            value=${value%>}
            case $value in
            project) value=$project ;;
            image) value=$image ;;
            port:*) value=$((${value#port:} + offset)) ;;
            hex:*) value=$(hex "${value#hex:}") ;;
            same:*) same=${value#same:}; value=$(sed -n "s/^$same=//p" "$1") ;;
            *) fail ".env.example: unknown placeholder <$value>" ;;
            esac
            line=$head$value
            ;;
        esac
        printf '%s\n' "$line" >>"$1"
    done <"$stack/.env.example"
}

# RATIBA_LAB_SET: `KEY=value`, several with blanks between, for keys that are there.
change_env() {
    local one key
    for one in ${RATIBA_LAB_SET:-}; do
        key=${one%%=*}
        grep -q "^$key=" "$1" || fail "RATIBA_LAB_SET: .env has no $key"
        sed "s|^$key=.*|$one|" "$1" >"$1.set"
        cat "$1.set" >"$1"
        rm "$1.set"
    done
}

commit() {
    git -C "$checkout" add -A
    GIT_AUTHOR_DATE="$1 +0300" GIT_COMMITTER_DATE="$1 +0300" git -C "$checkout" -c user.name='Ratiba lab' \
        -c user.email=lab@ratiba.example -c commit.gpgsign=false -c core.hooksPath=/dev/null commit -q -m "$2"
}

# The checkout is a git repository with a short history, as a real one is.
make_instance() {
    local late
    mkdir -p "$instance"
    rm -rf "$checkout"
    mkdir "$checkout"
    cp -R "$stack/." "$checkout/"
    find "$checkout" -name __pycache__ -type d -prune -exec rm -rf {} +
    late=$(find "$checkout/backend/alembic/versions" -name 'e91a*.py')
    mv "$late" "$checkout/docs/M12-pilot-deviations.md" "$instance/"
    git init -q --template='' "$checkout"
    git -C "$checkout" symbolic-ref HEAD refs/heads/main
    commit 2026-09-14T10:02:11 "Tenants, payments, WhatsApp and voice"
    mv "$instance/$(basename "$late")" "$late"
    commit 2026-09-30T08:31:45 "Each tenant has its own Daraja settings"
    mv "$instance/M12-pilot-deviations.md" "$checkout/docs/"
    commit 2026-11-02T16:20:05 "Pilot: where deviations are written down"
    # Where a stack without containers writes its logs: git ignores them.
    : >"$checkout/backend/.uvicorn.log"
    : >"$checkout/frontend/.next-dev.log"
    (umask 077 && : >"$checkout/.env.new" && make_env "$checkout/.env.new" && change_env "$checkout/.env.new")
    mv "$checkout/.env.new" "$checkout/.env"
    hash_tree "$stack" >"$instance/stack.sha256"
}
