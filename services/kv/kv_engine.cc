#include "services/kv/kv_engine.h"

namespace entrepot::kv {

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
