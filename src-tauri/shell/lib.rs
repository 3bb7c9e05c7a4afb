//! The shell: what the window and `ratibactl` have in common.
