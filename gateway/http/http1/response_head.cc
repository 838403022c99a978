#include "gateway/http/http1/response_head.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "gateway/http/http1/grammar.h"
#include "services/runtime/log/json_log.h"

namespace entrepot::gateway::http {
namespace {

void AbortOnControlByte(absl::string_view name, absl::string_view value) {
  if (std::none_of(value.begin(), value.end(), IsControl)) return;
  runtime::Log(runtime::LogLevel::kError, "a response field contains a control byte", {{"field", name}});
  std::abort();
}

}  // namespace

absl::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "";
  }
}

void AppendHead(const Response& response, const ResponseHead& head, std::string* out) {
  absl::StrAppend(out, "HTTP/1.1 ", response.status, " ", ReasonPhrase(response.status), "\r\nDate: ", head.date);
  for (const auto& [name, value] : response.fields) {
    AbortOnControlByte(name, value);
    absl::StrAppend(out, "\r\n", name, ": ", value);
  }
  absl::StrAppend(out, response.fixed_fields, "\r\nX-Request-Id: ", head.request_id);
  if (head.content_length) absl::StrAppend(out, "\r\nContent-Length: ", *head.content_length);
  absl::StrAppend(out, head.close ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n");
}

}  // namespace entrepot::gateway::http
