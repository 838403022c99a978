#include "services/kv/kv_engine.h"

#include "absl/strings/cord.h"

namespace entrepot::kv {
namespace {

constexpr char kNotInMemoryUrl[] = "entrepot/not-in-memory";

}  // namespace

absl::Status NotInMemory() {
  // Made once: a copy allocates nothing.
  static const absl::Status& status = *[] {
    auto* const made = new absl::Status(absl::StatusCode::kUnavailable, "the disk must be read");
    made->SetPayload(kNotInMemoryUrl, absl::Cord());
    return made;
  }();
  return status;
}

bool IsNotInMemory(const absl::Status& status) {
  return absl::IsUnavailable(status) && status.GetPayload(kNotInMemoryUrl).has_value();
}

std::string ScanBegin(const ScanOptions& options) {
  if (options.start_after.empty() || options.start_after < options.prefix) return options.prefix;
  return options.start_after + '\0';
}

std::string PrefixEnd(absl::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

}  // namespace entrepot::kv
