#ifndef ENTREPOT_SERVICES_CORE_LRU_MAP_H_
#define ENTREPOT_SERVICES_CORE_LRU_MAP_H_

#include <cstddef>
#include <list>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace entrepot {

// A map of at most `entries_max` (one or more) entries: a new one takes the place of the one that was used longest ago.
// Not thread-safe. Pointers to values last until their entry goes.
template <typename Key, typename Value>
class LruMap {
 public:
  explicit LruMap(size_t entries_max) : entries_max_(entries_max) {}

  LruMap(const LruMap&) = delete;
  LruMap& operator=(const LruMap&) = delete;

  // nullptr without one. The entry counts as used.
  template <typename K>
  Value* Find(const K& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    Touch(found->second);
    return &found->second->second;
  }

  // The value of the key, a new one where there is none. The entry counts as used.
  Value& operator[](const Key& key) {
    if (Value* value = Find(key); value != nullptr) return *value;
    if (index_.size() == entries_max_) {
      index_.erase(entries_.back().first);
      entries_.pop_back();
    }
    entries_.emplace_front(key, Value());
    index_.emplace(key, entries_.begin());
    return entries_.front().second;
  }

  template <typename K>
  void Erase(const K& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return;
    entries_.erase(found->second);
    index_.erase(found);
  }

  size_t size() const { return index_.size(); }

 private:
  using Entries = std::list<std::pair<Key, Value>>;

  void Touch(typename Entries::iterator entry) { entries_.splice(entries_.begin(), entries_, entry); }

  const size_t entries_max_;
  Entries entries_;  // The one used last first.
  absl::flat_hash_map<Key, typename Entries::iterator> index_;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_LRU_MAP_H_
