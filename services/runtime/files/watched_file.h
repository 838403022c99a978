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

// A file of rules that is parsed as a whole, and read again when it changes: a bad new one is logged, counted
// (entrepot_<what>_reloads_total{result="success"|"failure"}) and the old one kept. Thread-safe.
template <typename Content>
class WatchedFile {
 public:
  // The file's name is for messages.
  using Parser = std::function<absl::StatusOr<std::shared_ptr<const Content>>(absl::string_view text,
                                                                              absl::string_view file_name)>;

  // OK, or why Open() would not take the file; for checking a configuration before anything starts.
  static absl::Status Check(const std::string& path, const Parser& parse) {
    ASSIGN_OR_RETURN(const std::string contents, ReadFileContents(path, kConfiguredFileBytesMax));
    return parse(contents, FileName(path)).status();
  }

  // `what` it is, for the log and the counter: "policy". The errors of Check(). With a poll_interval of zero only
  // ReloadIfChanged() looks at the file.
  static absl::StatusOr<std::unique_ptr<WatchedFile>> Open(const std::string& what, const std::string& path,
                                                           Parser parse,
                                                           const std::shared_ptr<prometheus::Registry>& registry,
                                                           absl::Duration poll_interval) {
    auto& reloads =
        prometheus::BuildCounter()
            .Name(absl::StrCat("entrepot_", what, "_reloads_total"))
            .Help(absl::StrCat("Times the ", what, " file was read since it had changed, or for the first time."))
            .Register(*registry);
    std::unique_ptr<WatchedFile> file(new WatchedFile(what, path, std::move(parse), reloads));
    RETURN_IF_ERROR(file->watcher_.Start(poll_interval));
    return file;
  }

  // The one in force now; never null.
  std::shared_ptr<const Content> current() const {
    absl::MutexLock lock(&mutex_);
    return current_;
  }

  // Looks at the file now.
  absl::Status ReloadIfChanged() { return watcher_.ReloadIfChanged(); }

 private:
  WatchedFile(const std::string& what, const std::string& path, Parser parse,
              prometheus::Family<prometheus::Counter>& reloads)
      : file_name_(FileName(path)),
        parse_(std::move(parse)),
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
    absl::MutexLock lock(&mutex_);
    current_ = std::move(content);
    return absl::OkStatus();
  }

  const std::string file_name_;
  const Parser parse_;
  prometheus::Counter& loaded_;
  prometheus::Counter& refused_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Content> current_ ABSL_GUARDED_BY(mutex_);
  // Calls Load(): the last to be made and the first to go.
  FileWatcher watcher_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_FILES_WATCHED_FILE_H_
