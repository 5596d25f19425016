// `chorus export VIDEO`: writes the comments of a video to stdout, from a comment API or an archive, a page
// at a time. Returns the exit code: 0 if all of them are in it; 1 if it was cut short, or something that is
// in it was deleted meanwhile; 2 for wrong usage; 3 if entries are missing that neither log nor archive has.
#pragma once

int export_main(int argc, char **argv);
