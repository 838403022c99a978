#include "services/policy/policy_file.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "prometheus/counter.h"
#include "services/runtime/file_contents.h"
#include "services/runtime/file_watcher.h"
#include "services/status/status_macros.h"

namespace entrepot::policy {
namespace {

std::string FileName(const std::string& path) { return std::filesystem::path(path).filename().string(); }

class WatchedPolicyFile : public PolicyFile {
 public:
  WatchedPolicyFile(const std::string& path, prometheus::Family<prometheus::Counter>& reloads)
      : file_name_(FileName(path)),
        loaded_(reloads.Add({{"result", "success"}})),
        refused_(reloads.Add({{"result", "failure"}})),
        watcher_("policy", {path}, [this](const auto& contents) { return Load(contents); }) {}

  absl::Status Start(absl::Duration poll_interval) { return watcher_.Start(poll_interval); }

  std::shared_ptr<const Policy> current() const override {
    absl::MutexLock lock(&mutex_);
    return current_;
  }

  absl::Status ReloadIfChanged() override { return watcher_.ReloadIfChanged(); }

 private:
  absl::Status Load(const absl::StatusOr<std::vector<std::string>>& contents) {
    absl::Status status = Use(contents);
    (status.ok() ? loaded_ : refused_).Increment();
    return status;
  }

  absl::Status Use(const absl::StatusOr<std::vector<std::string>>& contents) {
    RETURN_IF_ERROR(contents.status());
    ASSIGN_OR_RETURN(std::shared_ptr<const Policy> policy, Policy::Parse(contents->front(), file_name_));
    absl::MutexLock lock(&mutex_);
    current_ = std::move(policy);
    return absl::OkStatus();
  }

  const std::string file_name_;
  prometheus::Counter& loaded_;
  prometheus::Counter& refused_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Policy> current_ ABSL_GUARDED_BY(mutex_);
  // Calls Load(): the last to be made and the first to go.
  runtime::FileWatcher watcher_;
};

}  // namespace

absl::Status CheckPolicyFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string contents, runtime::ReadFileContents(path, runtime::kConfiguredFileBytesMax));
  return Policy::Parse(contents, FileName(path)).status();
}

absl::StatusOr<std::unique_ptr<PolicyFile>> PolicyFile::Open(const std::string& path,
                                                             const std::shared_ptr<prometheus::Registry>& registry,
                                                             absl::Duration poll_interval) {
  auto& reloads = prometheus::BuildCounter()
                      .Name("entrepot_policy_reloads_total")
                      .Help("Times the policy file was read since it had changed, or for the first time.")
                      .Register(*registry);
  auto file = std::make_unique<WatchedPolicyFile>(path, reloads);
  RETURN_IF_ERROR(file->Start(poll_interval));
  return file;
}

}  // namespace entrepot::policy
