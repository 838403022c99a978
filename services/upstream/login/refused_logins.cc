#include "services/upstream/login/refused_logins.h"

#include "absl/strings/str_cat.h"
#include "services/core/digester.h"

namespace entrepot::upstream {
namespace {

std::string KeyOf(const Credentials& credentials, absl::string_view scope) {
  const std::string text = absl::StrCat(credentials.username.size(), ":", credentials.username, credentials.password);
  return absl::StrCat(ComputeDigest(DigestAlgorithm::kSha256, text).hex(), " ", scope);
}

}  // namespace

void RefusedLogins::Add(const Credentials& credentials, absl::string_view scope) {
  const std::string key = KeyOf(credentials, scope);
  absl::MutexLock lock(&mutex_);
  refused_at_[key] = clock_->Now();
}

bool RefusedLogins::Contains(const Credentials& credentials, absl::string_view scope) {
  const std::string of_scope = KeyOf(credentials, scope);
  const std::string of_all = KeyOf(credentials, "");
  absl::MutexLock lock(&mutex_);
  return IsRefused(of_scope) || IsRefused(of_all);
}

bool RefusedLogins::IsRefused(const std::string& key) {
  const absl::Time* refused_at = refused_at_.Find(key);
  if (refused_at == nullptr) return false;
  const absl::Duration age = clock_->Now() - *refused_at;
  // The clock may have been set back.
  if (age >= absl::ZeroDuration() && age < kPause) return true;
  refused_at_.Erase(key);
  return false;
}

}  // namespace entrepot::upstream
