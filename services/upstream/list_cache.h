#ifndef ENTREPOT_SERVICES_UPSTREAM_LIST_CACHE_H_
#define ENTREPOT_SERVICES_UPSTREAM_LIST_CACHE_H_

#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace entrepot::upstream {

// The lists that upstreams returned lately, in memory, at most `bytes_max` of them: a new one replaces those that were
// used least recently. Thread-safe.
template <typename List>
class ListCache {
 public:
  struct Entry {
    std::shared_ptr<const List> list;
    absl::Time at;
  };

  explicit ListCache(size_t bytes_max) : bytes_max_(bytes_max) {}

  std::optional<Entry> Find(const std::string& key) {
    const absl::MutexLock lock(&mutex_);
    const auto found = index_.find(key);
    if (found == index_.end()) return std::nullopt;
    items_.splice(items_.begin(), items_, found->second);
    return found->second->entry;
  }

  // `bytes` is the memory that the list takes. A list of more than bytes_max is not kept.
  void Put(const std::string& key, Entry entry, size_t bytes) {
    const absl::MutexLock lock(&mutex_);
    Remove(index_.find(key));
    if (bytes > bytes_max_) return;
    while (bytes_ + bytes > bytes_max_) Remove(index_.find(items_.back().key));
    items_.push_front({key, std::move(entry), bytes});
    index_[key] = items_.begin();
    bytes_ += bytes;
  }

 private:
  struct Item {
    std::string key;
    Entry entry;
    size_t bytes = 0;
  };
  using Items = std::list<Item>;
  using Index = absl::flat_hash_map<std::string, typename Items::iterator>;

  void Remove(typename Index::iterator found) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (found == index_.end()) return;
    bytes_ -= found->second->bytes;
    items_.erase(found->second);
    index_.erase(found);
  }

  const size_t bytes_max_;
  absl::Mutex mutex_;
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  // The most recently used one first.
  Items items_ ABSL_GUARDED_BY(mutex_);
  Index index_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_LIST_CACHE_H_
