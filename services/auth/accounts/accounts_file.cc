#include "services/auth/accounts/accounts_file.h"

#include <algorithm>
#include <utility>

#include "prometheus/family.h"
#include "services/runtime/files/secret_file.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

absl::StatusOr<std::shared_ptr<const AccountsFile::Contents>> Parse(
    const absl::StatusOr<std::vector<std::string>>& text, const std::string& path) {
  RETURN_IF_ERROR(text.status());
  auto contents = std::make_shared<AccountsFile::Contents>();
  ASSIGN_OR_RETURN(contents->users, ParseHtpasswd(text->front(), path));
  for (const auto& [name, hash] : contents->users) contents->cost_max = std::max(contents->cost_max, hash.cost());
  return contents;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AccountsFile>> AccountsFile::Open(const std::string& path,
                                                                 const std::shared_ptr<prometheus::Registry>& registry,
                                                                 absl::Duration poll_interval) {
  std::unique_ptr<AccountsFile> file(new AccountsFile(path, registry.get()));
  if (path.empty()) return file;
  file->watcher_ =
      std::make_unique<runtime::FileWatcher>("accounts file", std::vector<std::string>{path},
                                             [raw = file.get()](const auto& contents) { return raw->Load(contents); });
  RETURN_IF_ERROR(file->watcher_->Start(poll_interval));
  return file;
}

AccountsFile::AccountsFile(const std::string& path, prometheus::Registry* registry) : path_(path) {
  auto& family = prometheus::BuildCounter()
                     .Name("entrepot_accounts_reloads_total")
                     .Help("Loads of the accounts file, at start and after changes.")
                     .Register(*registry);
  loaded_ = &family.Add({{"result", "success"}});
  refused_ = &family.Add({{"result", "failure"}});
}

std::shared_ptr<const AccountsFile::Contents> AccountsFile::current() const {
  const absl::MutexLock lock(&mutex_);
  return current_;
}

absl::Status AccountsFile::ReloadIfChanged() {
  return watcher_ == nullptr ? absl::OkStatus() : watcher_->ReloadIfChanged();
}

absl::Status AccountsFile::Load(const absl::StatusOr<std::vector<std::string>>& contents) {
  absl::StatusOr<std::shared_ptr<const Contents>> parsed = Parse(contents, path_);
  (parsed.ok() ? loaded_ : refused_)->Increment();
  RETURN_IF_ERROR(parsed.status());
  runtime::WarnIfOpenToOthers(path_);
  const absl::MutexLock lock(&mutex_);
  current_ = *std::move(parsed);
  return absl::OkStatus();
}

}  // namespace entrepot::auth
