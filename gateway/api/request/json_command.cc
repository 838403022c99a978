#include "gateway/api/request/json_command.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/api/request/content_type.h"
#include "gateway/api/request/error_response.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/json_util.h"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"

namespace entrepot::gateway::api {
namespace {

namespace json = google::protobuf::util;

// A command may contain the text of a policy file.
constexpr size_t kBodyBytesMax = 1 << 20;
constexpr absl::string_view kJson = "application/json";

absl::Status Malformed(absl::string_view message) { return HttpError(400, OciErrorCode::kUnsupported, message); }

}  // namespace

boost::asio::awaitable<absl::StatusOr<WholeBody>> ReadCommandBody(http::Request& http) {
  // A browser sends other types for pages of other origins without asking the registry first.
  if (!HasContentType(http, kJson)) {
    co_return HttpError(415, OciErrorCode::kUnsupported, absl::StrCat("the Content-Type must be ", kJson));
  }
  co_return co_await ReadWholeBody(http, kBodyBytesMax, OciErrorCode::kUnsupported);
}

absl::Status ParseCommand(const std::string& body, google::protobuf::Message* request) {
  json::JsonParseOptions options;
  options.ignore_unknown_fields = false;
  const auto status = json::JsonStringToMessage(body, request, options);
  const google::protobuf::Descriptor* const type = request->GetDescriptor();
  if (!status.ok()) {
    return Malformed(absl::StrCat("the body is not a valid ", type->name(),
                                  " in JSON: ", QuotedInput({status.message().data(), status.message().size()})));
  }
  const bool has_command = request->GetReflection()->HasOneof(*request, type->FindOneofByName("command"));
  return has_command ? absl::OkStatus() : Malformed("the body contains no command");
}

absl::Status CommandError(const absl::Status& status) {
  if (GetOciErrorCode(status).has_value()) return status;
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return Malformed(status.message());
    case absl::StatusCode::kNotFound:
      return HttpError(404, OciErrorCode::kUnsupported, status.message());
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
      return HttpError(409, OciErrorCode::kUnsupported, status.message());
    case absl::StatusCode::kPermissionDenied:
      return OciError(OciErrorCode::kDenied, status.message());
    default:
      return status;
  }
}

absl::StatusOr<http::Response> CommandAnswer(const google::protobuf::Message& response) {
  json::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string text;
  if (!json::MessageToJsonString(response, &text, options).ok()) {
    return absl::InternalError(absl::StrCat("the ", response.GetDescriptor()->name(), " cannot be written as JSON"));
  }
  http::Response answer;
  answer.body = std::move(text);
  answer.fields.emplace_back("Content-Type", kJson);
  answer.fields.emplace_back("Cache-Control", "no-store");
  return answer;
}

}  // namespace entrepot::gateway::api
