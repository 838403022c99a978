#include "services/runtime/files/file_watcher.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/core/digester.h"
#include "services/runtime/files/file_contents.h"
#include "services/runtime/files/settling.h"
#include "services/runtime/log/json_log.h"
#include "services/status/status_macros.h"

namespace entrepot::runtime {
namespace {

// How long contents must stay the same before they are loaded, and how often they are read meanwhile.
constexpr absl::Duration kQuiet = absl::Seconds(1);
constexpr absl::Duration kUnsettledInterval = absl::Milliseconds(100);

absl::StatusOr<std::vector<std::string>> ReadAll(const std::vector<std::string>& paths) {
  std::vector<std::string> contents;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(contents.emplace_back(), ReadFileContents(path, kConfiguredFileBytesMax));
  }
  return contents;
}

// A hash, so that memory has no second copy of a secret.
std::string Fingerprint(const absl::StatusOr<std::vector<std::string>>& contents) {
  if (!contents.ok()) return contents.status().ToString();
  std::string fingerprint;
  for (const std::string& text : *contents) {
    fingerprint += ComputeDigest(DigestAlgorithm::kSha256, text).ToString();
  }
  return fingerprint;
}

}  // namespace

struct FileWatcher::Snapshot {
  absl::StatusOr<std::vector<std::string>> contents;
  std::string fingerprint;
};

FileWatcher::FileWatcher(std::string what, std::vector<std::string> paths, Loader load, Hold hold)
    : what_(std::move(what)), paths_(std::move(paths)), load_(std::move(load)), hold_(std::move(hold)) {}

FileWatcher::~FileWatcher() {
  stop_.Stop();
  if (watcher_.joinable()) watcher_.join();
}

absl::Status FileWatcher::Start(absl::Duration poll_interval) {
  RETURN_IF_ERROR(ReloadIfChanged());
  if (poll_interval > absl::ZeroDuration()) watcher_ = std::thread([this, poll_interval] { Watch(poll_interval); });
  return absl::OkStatus();
}

absl::Status FileWatcher::ReloadIfChanged() { return LoadIfChanged(ReadFiles()); }

FileWatcher::Snapshot FileWatcher::ReadFiles() const {
  Snapshot snapshot{.contents = ReadAll(paths_), .fingerprint = ""};
  snapshot.fingerprint = Fingerprint(snapshot.contents);
  return snapshot;
}

absl::Status FileWatcher::LoadIfChanged(const Snapshot& snapshot) {
  const std::lock_guard lock(load_mutex_);
  if (snapshot.fingerprint == seen_) return absl::OkStatus();
  seen_ = snapshot.fingerprint;
  absl::Status status = load_(snapshot.contents);
  if (!status.ok()) {
    // The caller of Start() reports the first failure.
    if (loaded_) {
      Log(LogLevel::kError, absl::StrCat("new ", what_, " refused, the old one stays"), {{"error", status.message()}});
    }
    return status;
  }
  if (loaded_) Log(LogLevel::kInfo, absl::StrCat("new ", what_, " in use"), {{"file", absl::StrJoin(paths_, ", ")}});
  loaded_ = true;
  return absl::OkStatus();
}

bool FileWatcher::IsSeen(const Snapshot& snapshot) {
  const std::lock_guard lock(load_mutex_);
  return snapshot.fingerprint == seen_;
}

void FileWatcher::Watch(absl::Duration poll_interval) {
  Settling settling;
  std::optional<absl::Duration> hold;  // Of the contents that stay the same now, once it is known.
  absl::Duration wait = poll_interval;
  while (!stop_.WaitFor(wait)) {
    const Snapshot snapshot = ReadFiles();
    const absl::Duration unchanged = absl::FromChrono(settling.Unchanged(snapshot.fingerprint, Settling::Clock::now()));
    const bool settled = unchanged >= kQuiet;
    if (!settled) {
      hold.reset();
    } else if (!IsSeen(snapshot)) {
      if (!hold.has_value()) hold = hold_ ? hold_(snapshot.contents) : absl::ZeroDuration();
      // LoadIfChanged() logs its error.
      if (unchanged >= *hold) LoadIfChanged(snapshot).IgnoreError();
    }
    wait = settled ? poll_interval : std::min(poll_interval, kUnsettledInterval);
  }
}

}  // namespace entrepot::runtime
