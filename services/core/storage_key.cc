#include "services/core/storage_key.h"

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/core/text/lower_hex.h"
#include "services/status/quoted_input.h"

namespace entrepot {
namespace {

constexpr size_t kRandomBytes = 16;
constexpr char kFileLetter = 'f';
constexpr char kKvLetter = 'k';

}  // namespace

StorageKey StorageKey::Random(StorageTier tier) {
  const char letter = tier == StorageTier::kFile ? kFileLetter : kKvLetter;
  return StorageKey(absl::StrCat(absl::string_view(&letter, 1), RandomLowerHex(kRandomBytes)));
}

absl::StatusOr<StorageKey> StorageKey::Parse(absl::string_view text) {
  if (text.size() != 1 + 2 * kRandomBytes || (text.front() != kFileLetter && text.front() != kKvLetter) ||
      !IsLowerHex(text.substr(1))) {
    return absl::InvalidArgumentError(absl::StrCat("the storage key ", QuotedInput(text), " is not 'f' or 'k' and ",
                                                   2 * kRandomBytes, " lower-case hex digits"));
  }
  return StorageKey(std::string(text));
}

StorageTier StorageKey::tier() const { return text_.front() == kFileLetter ? StorageTier::kFile : StorageTier::kKv; }

}  // namespace entrepot
