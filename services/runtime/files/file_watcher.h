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

// Watches files that form one unit of configuration (a certificate and its key, a policy), and loads them again when
// their contents change. It compares contents: a replaced symbolic link (Kubernetes) is a change, a new modification
// time is not. Files have at most 1 MiB each.
//
//   FileWatcher watcher("policy", {path}, [this](const auto& contents) { return Load(contents); });
//   RETURN_IF_ERROR(watcher.Start(absl::Seconds(1)));
//
// Thread-safe.
class FileWatcher {
 public:
  // Gets the contents of the files in the order of the paths, or the error of the file that cannot be read. Returns why
  // they cannot be used; what it loaded before must then stay in force.
  using Loader = std::function<absl::Status(const absl::StatusOr<std::vector<std::string>>& contents)>;

  // Returns for how long new contents must stay the same before they are loaded, if that is longer than a second. For
  // contents that may have been cut short although they can be used. Called once for contents that have stayed the same
  // for a second.
  using Hold = std::function<absl::Duration(const absl::StatusOr<std::vector<std::string>>& contents)>;

  // `what` names the files in the log: "new policy in use", "new policy refused, the old one stays". `hold` may be
  // empty.
  FileWatcher(std::string what, std::vector<std::string> paths, Loader load, Hold hold = {});
  // Waits for a load in progress.
  ~FileWatcher();

  FileWatcher(const FileWatcher&) = delete;
  FileWatcher& operator=(const FileWatcher&) = delete;

  // Loads the files for the first time. If that succeeds, a thread of its own reads them every `poll_interval` from
  // then on; if the interval is zero, only ReloadIfChanged() does. The thread does not load contents that are still
  // being written: they must stay the same for a second (settling.h), or for longer (Hold). Must be called once.
  absl::Status Start(absl::Duration poll_interval);

  // Reads the files now, and loads them if their contents differ from the last ones that were loaded. Contents that
  // cannot be used are logged once; the loader's error is returned. OK if nothing has changed.
  absl::Status ReloadIfChanged();

 private:
  struct Snapshot;
  Snapshot ReadFiles() const;
  absl::Status LoadIfChanged(const Snapshot& snapshot);
  // Whether the contents are those of the last load.
  bool IsSeen(const Snapshot& snapshot);
  void Watch(absl::Duration poll_interval);

  const std::string what_;
  const std::vector<std::string> paths_;
  const Loader load_;
  const Hold hold_;

  std::mutex load_mutex_;
  std::string seen_;     // Fingerprint of the last contents, usable or not. Guarded by load_mutex_.
  bool loaded_ = false;  // Whether a load has succeeded. Guarded by load_mutex_.

  StopSignal stop_;
  std::thread watcher_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_FILES_FILE_WATCHER_H_
