#ifndef ENTREPOT_SERVICES_CORE_FILES_DURABLE_DIRECTORY_H_
#define ENTREPOT_SERVICES_CORE_FILES_DURABLE_DIRECTORY_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"

// Changes of directories that are synced before the call returns: a power cut does not undo them. Error messages
// contain the path. kAlreadyExists if something is in the way, kNotFound if a path does not exist, else kUnavailable.
namespace entrepot {

// Makes a directory and its missing parents. OK if it exists; its name is synced then too, because the process that
// made it may have died before its own sync.
absl::Status MakeDirectoryDurably(const std::string& path);

// Makes the name of the file or directory at `path` durable: syncs the directory that contains it.
absl::Status SyncNameOf(const std::string& path);

// Renames within one file system. kAlreadyExists if `to` exists, even if it is an empty directory.
absl::Status RenameDurably(const std::string& from, const std::string& to);

// Removes a directory with its contents, or a file. OK if it does not exist.
absl::Status RemoveTree(const std::string& path);

// Copies the directory `from` with the files and directories below it to `to`, which must not exist. Symbolic links and
// special files are refused (kUnavailable). `copied` is called with the size of each file after it is copied; if it
// returns false the copy stops with kCancelled.
absl::Status CopyTreeDurably(const std::string& from, const std::string& to,
                             const std::function<bool(uint64_t bytes)>& copied);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_FILES_DURABLE_DIRECTORY_H_
