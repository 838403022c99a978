#ifndef ENTREPOT_SERVICES_CORE_FILES_PRIVATE_FILES_H_
#define ENTREPOT_SERVICES_CORE_FILES_PRIVATE_FILES_H_

#include <string>

#include "absl/status/status.h"

// Takes the permissions of the group and of others from files that earlier versions made with them. New files are
// private because every process starts with the umask 077.
namespace entrepot {

// One file or directory; what a directory contains is out of reach then. OK if it does not exist or is private already.
// kUnavailable with the path, for example if it belongs to another user.
absl::Status MakePrivate(const std::string& path);

// A directory and the files directly in it. Goes on after a failure, and returns the first one.
absl::Status MakeDirectoryPrivate(const std::string& path);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_FILES_PRIVATE_FILES_H_
