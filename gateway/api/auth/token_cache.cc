#include "gateway/api/auth/token_cache.h"

#include <algorithm>
#include <utility>

namespace entrepot::gateway::api {

std::shared_ptr<const AccessToken> TokenCache::Find(absl::string_view text) {
  Shard& shard = ShardOf(text);
  Map dropped;
  absl::MutexLock lock(&shard.mutex);
  if (const auto found = shard.young.find(text); found != shard.young.end()) return found->second;
  const auto found = shard.old.find(text);
  if (found == shard.old.end()) return nullptr;
  std::shared_ptr<const AccessToken> token = found->second;
  auto node = shard.old.extract(found);
  dropped = InsertLocked(shard, std::move(node.key()), token);
  return token;
}

void TokenCache::Insert(absl::string_view text, std::shared_ptr<const AccessToken> token) {
  if (text.size() > generation_bytes_max_) return;
  Shard& shard = ShardOf(text);
  Map dropped;
  absl::MutexLock lock(&shard.mutex);
  shard.old.erase(text);
  dropped = InsertLocked(shard, std::string(text), std::move(token));
}

TokenCache::Map TokenCache::InsertLocked(Shard& shard, std::string text, std::shared_ptr<const AccessToken> token) {
  Map dropped;
  if (shard.young_bytes + text.size() > generation_bytes_max_) {
    dropped = std::exchange(shard.old, std::exchange(shard.young, Map()));
    shard.young_bytes = 0;
  }
  const size_t bytes = text.size();
  const auto [place, added] = shard.young.insert_or_assign(std::move(text), std::move(token));
  if (added) shard.young_bytes += bytes;
  return dropped;
}

TokenCache::Shard& TokenCache::ShardOf(absl::string_view text) {
  // Tokens differ in their signature, at the end.
  size_t sum = 0;
  for (const char c : text.substr(text.size() - std::min<size_t>(text.size(), 8))) {
    sum = sum * 31 + static_cast<unsigned char>(c);
  }
  return shards_[sum % kShards];
}

}  // namespace entrepot::gateway::api
