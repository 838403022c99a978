#include "services/upstream/login/token_cache.h"

#include <utility>

namespace entrepot::upstream {
namespace {

constexpr double kRefreshAt = 0.8;

}  // namespace

std::shared_ptr<TokenCache::Entry> TokenCache::EntryOf(const std::string& key) {
  absl::MutexLock lock(&mutex_);
  std::shared_ptr<Entry>& entry = entries_[key];
  if (entry == nullptr) entry = std::make_shared<Entry>();
  return entry;
}

absl::StatusOr<std::string> TokenCache::Get(const std::string& key, const Request& request) {
  const std::shared_ptr<Entry> entry = EntryOf(key);
  absl::MutexLock lock(&entry->mutex);
  while (true) {
    const absl::Time now = clock_->Now();
    const bool alive = !entry->token.empty() && now < entry->expires_at;
    if (alive && (now < entry->refresh_at || entry->requesting)) return entry->token;
    if (!entry->requesting) break;
    const uint64_t answers = entry->answers;
    while (entry->answers == answers) entry->answered.Wait(&entry->mutex);
    if (!entry->last_answer.ok()) return entry->last_answer;
  }

  entry->requesting = true;
  entry->mutex.Unlock();
  absl::StatusOr<IssuedToken> issued = request();
  entry->mutex.Lock();
  entry->requesting = false;
  ++entry->answers;
  entry->last_answer = issued.status();
  entry->answered.SignalAll();
  const absl::Time now = clock_->Now();
  if (issued.ok()) {
    entry->token = std::move(issued->text);
    entry->refresh_at = now + kRefreshAt * issued->lifetime;
    entry->expires_at = now + issued->lifetime;
  } else if (entry->token.empty() || now >= entry->expires_at) {
    return issued.status();
  }
  return entry->token;
}

void TokenCache::Drop(const std::string& key, absl::string_view token) {
  const std::shared_ptr<Entry> entry = EntryOf(key);
  absl::MutexLock lock(&entry->mutex);
  if (entry->token == token) entry->token.clear();
}

}  // namespace entrepot::upstream
