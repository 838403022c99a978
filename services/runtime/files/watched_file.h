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
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "prometheus/counter.h"
#include "prometheus/registry.h"
#include "services/runtime/files/file_contents.h"
#include "services/runtime/files/file_watcher.h"
#include "services/runtime/log/json_log.h"
#include "services/status/status_macros.h"

namespace entrepot::runtime {

// A file that lacks restrictions of the one in force must stay the same for so long before it takes its place.
inline constexpr absl::Duration kLostRestrictionsHold = absl::Seconds(30);

// A file of rules that is parsed as a whole, and read again when it changes. A new file that cannot be used is logged,
// and the old one stays in force. Loads are counted
// (entrepot_<what>_reloads_total{result="success"|"failure"|"held_back"}). Thread-safe.
//
// A program that writes the file in place may pause, and the part that it has written may be a good file that lacks
// rules. Such a part can do harm if what it lacks are restrictions. So a new file that lacks some is logged at once and
// held back for kLostRestrictionsHold. At the start, and by ReloadIfChanged(), a file is used as it is.
template <typename Content>
class WatchedFile {
 public:
  // Parses the text of a file. Messages contain the file's name.
  using Parser = std::function<absl::StatusOr<std::shared_ptr<const Content>>(absl::string_view text,
                                                                              absl::string_view file_name)>;

  // A description of each restriction of `before` that `now` lacks: "immutable_tags[0] "releases"".
  using FindLost = std::function<std::vector<std::string>(const Content& before, const Content& now)>;

  // Called with each content before it is in force.
  using OnUse = std::function<void(const Content& content)>;

  // OK, or the error with which Open() would refuse the file. For checking a configuration before the process starts.
  static absl::Status Check(const std::string& path, const Parser& parse) {
    ASSIGN_OR_RETURN(const std::string contents, ReadFileContents(path, kConfiguredFileBytesMax));
    return parse(contents, FileName(path)).status();
  }

  // `what` names the file in the log and the counter: "policy". The errors are those of Check(). If poll_interval is
  // zero, only ReloadIfChanged() reads the file again. The functions other than `parse` may be empty.
  static absl::StatusOr<std::unique_ptr<WatchedFile>> Open(const std::string& what, const std::string& path,
                                                           Parser parse,
                                                           const std::shared_ptr<prometheus::Registry>& registry,
                                                           absl::Duration poll_interval, FindLost find_lost = {},
                                                           OnUse on_use = {}) {
    auto& reloads = prometheus::BuildCounter()
                        .Name(absl::StrCat("entrepot_", what, "_reloads_total"))
                        .Help(absl::StrCat("Loads of the ", what, " file, at start and after changes."))
                        .Register(*registry);
    std::unique_ptr<WatchedFile> file(
        new WatchedFile(what, path, std::move(parse), std::move(find_lost), std::move(on_use), reloads));
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
  WatchedFile(const std::string& what, const std::string& path, Parser parse, FindLost find_lost, OnUse on_use,
              prometheus::Family<prometheus::Counter>& reloads)
      : what_(what),
        file_name_(FileName(path)),
        parse_(std::move(parse)),
        find_lost_(std::move(find_lost)),
        on_use_(std::move(on_use)),
        loaded_(reloads.Add({{"result", "success"}})),
        refused_(reloads.Add({{"result", "failure"}})),
        held_back_(reloads.Add({{"result", "held_back"}})),
        watcher_(
            what, {path}, [this](const auto& contents) { return Load(contents); },
            [this](const auto& contents) { return Hold(contents); }) {}

  static std::string FileName(const std::string& path) { return std::filesystem::path(path).filename().string(); }

  absl::Status Load(const absl::StatusOr<std::vector<std::string>>& contents) {
    absl::Status status = Use(contents);
    (status.ok() ? loaded_ : refused_).Increment();
    return status;
  }

  absl::Status Use(const absl::StatusOr<std::vector<std::string>>& contents) {
    RETURN_IF_ERROR(contents.status());
    ASSIGN_OR_RETURN(std::shared_ptr<const Content> content, parse_(contents->front(), file_name_));
    if (on_use_) on_use_(*content);
    if (const std::string lost = Lost(*content); !lost.empty()) {
      Log(LogLevel::kWarning, absl::StrCat("the new ", what_, " lacks restrictions of the old one"), {{"rules", lost}});
    }
    absl::MutexLock lock(&mutex_);
    current_ = std::move(content);
    return absl::OkStatus();
  }

  absl::Duration Hold(const absl::StatusOr<std::vector<std::string>>& contents) {
    if (!contents.ok() || !find_lost_) return absl::ZeroDuration();
    const auto content = parse_(contents->front(), file_name_);
    // Load() logs why it cannot be used.
    if (!content.ok()) return absl::ZeroDuration();
    const std::string lost = Lost(**content);
    if (lost.empty()) return absl::ZeroDuration();
    held_back_.Increment();
    Log(LogLevel::kWarning,
        absl::StrCat("a new ", what_, " is held back, because it lacks restrictions of the one in force"),
        {{"rules", lost},
         {"seconds", absl::ToInt64Seconds(kLostRestrictionsHold)},
         {"hint", "it is in force once the file has not changed for this long, or after a restart"}});
    return kLostRestrictionsHold;
  }

  // Of the content in force.
  std::string Lost(const Content& now) const {
    const std::shared_ptr<const Content> before = current();
    return find_lost_ && before != nullptr ? absl::StrJoin(find_lost_(*before, now), ", ") : "";
  }

  const std::string what_;
  const std::string file_name_;
  const Parser parse_;
  const FindLost find_lost_;
  const OnUse on_use_;
  prometheus::Counter& loaded_;
  prometheus::Counter& refused_;
  prometheus::Counter& held_back_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Content> current_ ABSL_GUARDED_BY(mutex_);
  // Calls Load(): constructed last and destroyed first.
  FileWatcher watcher_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_FILES_WATCHED_FILE_H_
