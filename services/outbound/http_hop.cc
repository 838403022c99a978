#include "services/outbound/http_hop.h"

namespace entrepot::outbound {
namespace {

class CurlHttpHop final : public HttpHop {
 public:
  absl::StatusOr<HopHead> Send(const HopRequest&, const HopSink&) override {
    return absl::UnimplementedError("not yet");
  }
  void Stop() override {}
};

}  // namespace

absl::string_view HopHead::Field(absl::string_view name) const {
  for (const auto& [field, value] : fields) {
    if (field == name) return value;
  }
  return "";
}

std::vector<absl::string_view> HopHead::Fields(absl::string_view name) const {
  std::vector<absl::string_view> values;
  for (const auto& [field, value] : fields) {
    if (field == name) values.push_back(value);
  }
  return values;
}

std::unique_ptr<HttpHop> HttpHop::Create(HopOptions) { return std::make_unique<CurlHttpHop>(); }

}  // namespace entrepot::outbound
