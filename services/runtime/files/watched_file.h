#ifndef ENTREPOT_SERVICES_RUNTIME_FILES_WATCHED_FILE_H_
#define ENTREPOT_SERVICES_RUNTIME_FILES_WATCHED_FILE_H_

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "prometheus/counter.h"
#include "prometheus/registry.h"
#include "services/runtime/files/file_contents.h"
#include "services/runtime/files/file_watcher.h"
#include "services/status/status_macros.h"

namespace entrepot::runtime {

// A file of rules that is parsed as a whole, and read again when it changes. A new file that cannot be used is logged,
// and the old one stays in force. Loads are counted (entrepot_<what>_reloads_total{result="success"|"failure"}).
// Thread-safe.
template <typename Content>
class WatchedFile {
 public:
  // Parses the text of a file. Messages contain the file's name.
  using Parser = std::function<absl::StatusOr<std::shared_ptr<const Content>>(absl::string_view text,
                                                                              absl::string_view file_name)>;

  // Called when a new content takes the place of another one.
  using Compare = std::function<void(const Content& before, const Content& now)>;

  // OK, or the error with which Open() would refuse the file. For checking a configuration before the process starts.
  static absl::Status Check(const std::string& path, const Parser& parse) {
    ASSIGN_OR_RETURN(const std::string contents, ReadFileContents(path, kConfiguredFileBytesMax));
    return parse(contents, FileName(path)).status();
  }

  // `what` names the file in the log and the counter: "policy". The errors are those of Check(). If poll_interval is
  // zero, only ReloadIfChanged() reads the file again.
  static absl::StatusOr<std::unique_ptr<WatchedFile>> Open(const std::string& what, const std::string& path,
                                                           Parser parse,
                                                           const std::shared_ptr<prometheus::Registry>& registry,
                                                           absl::Duration poll_interval, Compare compare = {}) {
    auto& reloads = prometheus::BuildCounter()
                        .Name(absl::StrCat("entrepot_", what, "_reloads_total"))
                        .Help(absl::StrCat("Loads of the ", what, " file, at start and after changes."))
                        .Register(*registry);
    std::unique_ptr<WatchedFile> file(new WatchedFile(what, path, std::move(parse), std::move(compare), reloads));
    RETURN_IF_ERROR(file->watcher_.Start(poll_interval));
    return file;
  }

  // The content in force. Never null.
  std::shared_ptr<const Content> current() const {
    absl::MutexLock lock(&mutex_);
    return current_;
  }

  // Reads the file now, and loads it if it has changed (FileWatcher::ReloadIfChanged).
  absl::Status ReloadIfChanged() { return watcher_.ReloadIfChanged(); }

 private:
  WatchedFile(const std::string& what, const std::string& path, Parser parse, Compare compare,
              prometheus::Family<prometheus::Counter>& reloads)
      : file_name_(FileName(path)),
        parse_(std::move(parse)),
        compare_(std::move(compare)),
        loaded_(reloads.Add({{"result", "success"}})),
        refused_(reloads.Add({{"result", "failure"}})),
        watcher_(what, {path}, [this](const auto& contents) { return Load(contents); }) {}

  static std::string FileName(const std::string& path) { return std::filesystem::path(path).filename().string(); }

  absl::Status Load(const absl::StatusOr<std::vector<std::string>>& contents) {
    absl::Status status = Use(contents);
    (status.ok() ? loaded_ : refused_).Increment();
    return status;
  }

  absl::Status Use(const absl::StatusOr<std::vector<std::string>>& contents) {
    RETURN_IF_ERROR(contents.status());
    ASSIGN_OR_RETURN(std::shared_ptr<const Content> content, parse_(contents->front(), file_name_));
    const std::shared_ptr<const Content> before = current();
    if (compare_ && before != nullptr) compare_(*before, *content);
    absl::MutexLock lock(&mutex_);
    current_ = std::move(content);
    return absl::OkStatus();
  }

  const std::string file_name_;
  const Parser parse_;
  const Compare compare_;
  prometheus::Counter& loaded_;
  prometheus::Counter& refused_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Content> current_ ABSL_GUARDED_BY(mutex_);
  // Calls Load(): constructed last and destroyed first.
  FileWatcher watcher_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_FILES_WATCHED_FILE_H_
