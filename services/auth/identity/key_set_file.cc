#include "services/auth/identity/key_set_file.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {

KeySetFile::KeySetFile(const std::string& path)
    : path_(path),
      watcher_("identity provider's keys", {path}, [this](const auto& contents) { return Load(contents); }) {}

absl::Status KeySetFile::Load(const absl::StatusOr<std::vector<std::string>>& contents) {
  RETURN_IF_ERROR(contents.status());
  absl::StatusOr<token::KeySet> keys = token::KeySet::Parse(contents->front());
  if (!keys.ok()) return absl::InvalidArgumentError(absl::StrCat(path_, ": ", keys.status().message()));
  absl::MutexLock lock(&mutex_);
  keys_ = std::make_shared<const token::KeySet>(*std::move(keys));
  return absl::OkStatus();
}

absl::StatusOr<KeySetSource::Keys> KeySetFile::Get() {
  const absl::Status reloaded = watcher_.ReloadIfChanged();
  absl::MutexLock lock(&mutex_);
  if (keys_ != nullptr) return keys_;
  return absl::UnavailableError(reloaded.ok() ? absl::StrCat(path_, " cannot be used") : reloaded.message());
}

}  // namespace entrepot::auth
