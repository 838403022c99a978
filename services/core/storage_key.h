#ifndef ENTREPOT_SERVICES_CORE_STORAGE_KEY_H_
#define ENTREPOT_SERVICES_CORE_STORAGE_KEY_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// Where an object is kept.
enum class StorageTier { kFile, kKv };

// Where the bytes of one object lie. Opaque outside the blob service, unique to one upload, never reused. Its
// first letter names the tier: `f` a file, `k` a value in the KV. Immutable.
class StorageKey {
 public:
  // A new one. Thread-safe.
  static StorageKey Random(StorageTier tier);

  // `[fk]` followed by 32 lower-case hex digits; else kInvalidArgument.
  static absl::StatusOr<StorageKey> Parse(absl::string_view text);

  const std::string& ToString() const { return text_; }
  StorageTier tier() const;

  friend bool operator==(const StorageKey& a, const StorageKey& b) { return a.text_ == b.text_; }
  friend bool operator<(const StorageKey& a, const StorageKey& b) { return a.text_ < b.text_; }

 private:
  explicit StorageKey(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_STORAGE_KEY_H_
