#ifndef ENTREPOT_SERVICES_CORE_FILES_DURABLE_DIRECTORY_H_
#define ENTREPOT_SERVICES_CORE_FILES_DURABLE_DIRECTORY_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"

// What is done to directories here has been synced when it returns: no power cut undoes it. Errors name the path:
// kAlreadyExists where something stands in the way, kNotFound, else kUnavailable.
namespace entrepot {

// With its parents. OK where it is there.
absl::Status MakeDirectoryDurably(const std::string& path);

// Within one file system. kAlreadyExists where `to` is there, even where it is empty.
absl::Status RenameDurably(const std::string& from, const std::string& to);

// With all that is in it. OK where there is none.
absl::Status RemoveTree(const std::string& path);

// Copies the directory `from` with the files and directories below it to `to`, which must not be there; symbolic links
// and what is neither are refused. `copied` hears of the bytes of each file, and may stop it: then kCancelled.
absl::Status CopyTreeDurably(const std::string& from, const std::string& to,
                             const std::function<bool(uint64_t bytes)>& copied);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_FILES_DURABLE_DIRECTORY_H_
