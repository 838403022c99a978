#ifndef ENTREPOT_SERVICES_RUNTIME_FILES_FILE_WATCHER_H_
#define ENTREPOT_SERVICES_RUNTIME_FILES_FILE_WATCHER_H_

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/time/stop_signal.h"

namespace entrepot::runtime {

// Files that are one unit of configuration (a certificate and its key, a policy), read again when what is in them
// changes: contents are compared, so that a replaced symbolic link (Kubernetes) counts and a touched file does not.
// At most 1 MiB each.
//
//   FileWatcher watcher("policy", {path}, [this](const auto& contents) { return Load(contents); });
//   RETURN_IF_ERROR(watcher.Start(absl::Seconds(1)));
//
// Safe from any thread.
class FileWatcher {
 public:
  // The files' contents in the order of the paths, or why one of them cannot be read. Returns what makes them
  // unusable, and then leaves what was loaded before in force.
  using Loader = std::function<absl::Status(const absl::StatusOr<std::vector<std::string>>& contents)>;

  // `what` is for the log: "new policy in use", "new policy refused, the old one stays".
  FileWatcher(std::string what, std::vector<std::string> paths, Loader load);
  // Waits for a load under way.
  ~FileWatcher();

  FileWatcher(const FileWatcher&) = delete;
  FileWatcher& operator=(const FileWatcher&) = delete;

  // Loads the files for the first time, and where that succeeds looks at them every `poll_interval` from then on, on a
  // thread of its own; with zero only ReloadIfChanged() does. Contents that are still being written are not taken: the
  // thread loads what it has read twice, some milliseconds apart. Call it once.
  absl::Status Start(absl::Duration poll_interval);

  // Looks at the files now, and loads them where their contents differ from those seen last. What cannot be used is
  // logged once; the loader's error is returned. OK where nothing changed.
  absl::Status ReloadIfChanged();

 private:
  struct Look;
  Look LookAtFiles() const;
  absl::Status LoadIfChanged(const Look& look);
  void Watch(absl::Duration poll_interval);

  const std::string what_;
  const std::vector<std::string> paths_;
  const Loader load_;

  std::mutex load_mutex_;
  std::string seen_;     // Fingerprint of the contents seen last, good or bad; guarded by load_mutex_.
  bool loaded_ = false;  // Once; guarded by load_mutex_.

  StopSignal stop_;
  std::thread watcher_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_FILES_FILE_WATCHER_H_
