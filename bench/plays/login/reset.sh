mkdir -p "$2"
