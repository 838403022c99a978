#include "services/auth/credentials/verified_credentials.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "services/core/text/lower_hex.h"

namespace entrepot::auth {
namespace {

constexpr size_t kSecretBytes = 32;

// Each part follows its length, so that different triples never give the same text.
std::string Join(absl::string_view account, absl::string_view password, absl::string_view stored_hash) {
  return absl::StrCat(account.size(), ":", account, password.size(), ":", password, stored_hash);
}

}  // namespace

VerifiedCredentials::VerifiedCredentials(const Clock* clock, absl::Duration lifetime, size_t entries_max)
    : clock_(*clock), lifetime_(lifetime), secret_(RandomLowerHex(kSecretBytes)), verified_(entries_max) {}

absl::StatusOr<bool> VerifiedCredentials::Check(absl::string_view account, absl::string_view password,
                                                absl::string_view stored_hash, const Verify& verify) {
  const std::string key = KeyOf(account, password, stored_hash);
  std::shared_ptr<PendingCheck> pending;
  {
    const absl::MutexLock lock(&mutex_);
    if (VerifiedWithin(lifetime_, key)) return true;
    auto [entry, first] = pending_.try_emplace(key, nullptr);
    if (!first) {
      const std::shared_ptr<PendingCheck> others = entry->second;
      mutex_.Await(absl::Condition(&others->done));
      return others->result;
    }
    pending = entry->second = std::make_shared<PendingCheck>();
  }
  absl::StatusOr<bool> result = verify();
  const absl::MutexLock lock(&mutex_);
  if (result.ok() && *result) verified_[key] = clock_.Now();
  pending->result = result;
  pending->done = true;
  pending_.erase(key);
  return result;
}

bool VerifiedCredentials::Knows(absl::string_view account, absl::string_view password, absl::string_view stored_hash) {
  const std::string key = KeyOf(account, password, stored_hash);
  const absl::MutexLock lock(&mutex_);
  return VerifiedWithin(kKnownFor, key);
}

std::string VerifiedCredentials::KeyOf(absl::string_view account, absl::string_view password,
                                       absl::string_view stored_hash) const {
  std::string text = Join(account, password, stored_hash);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size) == nullptr) {
    std::abort();
  }
  OPENSSL_cleanse(text.data(), text.size());
  return std::string(reinterpret_cast<const char*>(mac.data()), size);
}

bool VerifiedCredentials::VerifiedWithin(absl::Duration age_max, const std::string& key) {
  const absl::Time* const verified_at = verified_.Find(key);
  if (verified_at == nullptr) return false;
  // Setting the clock back does not extend the lifetime.
  const absl::Duration age = clock_.Now() - *verified_at;
  if (age < absl::ZeroDuration() || age >= kKnownFor) verified_.Erase(key);
  return age >= absl::ZeroDuration() && age < age_max;
}

}  // namespace entrepot::auth
