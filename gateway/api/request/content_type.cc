#include "gateway/api/request/content_type.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace entrepot::gateway::api {

bool HasContentType(const http::Request& request, absl::string_view media_type) {
  const absl::string_view value = request.Find("Content-Type").value_or("");
  return absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(value.substr(0, value.find(';'))), media_type);
}

}  // namespace entrepot::gateway::api
