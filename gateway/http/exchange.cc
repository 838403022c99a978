#include "gateway/http/exchange.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <initializer_list>
#include <utility>

#include "absl/strings/str_cat.h"
#include "prometheus/counter.h"
#include "services/core/client_network.h"
#include "services/runtime/log/json_log.h"
#include "services/runtime/log/limited_log.h"

namespace entrepot::gateway::http {
namespace {

using runtime::LogLevel;

double Seconds(Exchange::Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

Exchange::Exchange(WorkerContext* worker, Request* request)
    : worker_(worker),
      request_(request),
      peer_address_(request->remote_address),
      peer_is_tls_(request->is_tls),
      began_(Clock::now()) {
  if (request_->is_from_trusted_proxy) ReadForwardedClient();
  request_->account.clear();
  worker_->server.metrics->in_flight().Increment();
  const auto id = request_->Find("X-Request-Id");
  if (id && IsRequestId(*id)) {
    request_->request_id.assign(id->data(), id->size());
  } else {
    request_->request_id = worker_->request_ids.Next();
  }
}

Exchange::~Exchange() {
  request_->remote_address = peer_address_;
  request_->is_tls = peer_is_tls_;
  worker_->server.metrics->in_flight().Decrement();
}

void Exchange::ReadForwardedClient() {
  ForwardedClient client = worker_->server.proxies->ReadClient(*request_);
  if (!client.address.empty()) {
    client_address_ = std::move(client.address);
    request_->remote_address = client_address_;
  }
  request_->is_tls = client.is_tls.value_or(peer_is_tls_);
  if (!client.host.empty()) request_->SetHost(client.host);
}

boost::asio::awaitable<Response> Exchange::Handle() {
  try {
    co_return co_await worker_->server.handler->Handle(*request_);
  } catch (const std::exception& exception) {
    runtime::LogLimited(LogLevel::kError, "a handler threw", exception.what(),
                        {{"what", exception.what()}, {"path", request_->path}, {"request_id", request_->request_id}});
  }
  Response response = worker_->server.handler->Refuse(500, "internal error");
  response.close = true;
  co_return response;
}

Exchange::Clock::time_point Exchange::Finish(const Response& response, const Sent& sent) {
  const Clock::time_point now = Clock::now();
  if (first_byte_ < began_) first_byte_ = now;
  worker_->metrics.Count({.route = response.route,
                          .method = request_->method,
                          .status = response.status,
                          .seconds = Seconds(now - began_),
                          .first_byte_seconds = Seconds(first_byte_ - began_),
                          .request_bytes = sent.request_bytes,
                          .response_bytes = sent.response_bytes});
  if (response.sent_bytes != nullptr) response.sent_bytes->Increment(static_cast<double>(sent.response_bytes));
  // A 503 has a line with its reason, or it is the refusal of a limit: a client can cause many, and a metric counts
  // them.
  const bool failed = (response.status >= 500 && response.status != 503) || absl::IsDataLoss(sent.status);
  const LogLevel level = failed ? LogLevel::kError : LogLevel::kDebug;
  if (!runtime::LogEnabled(level)) return now;
  const std::initializer_list<runtime::LogField> fields = {{"method", request_->method},
                                                           {"path", request_->path},
                                                           {"status", response.status},
                                                           {"seconds", Seconds(now - began_)},
                                                           {"request_bytes", sent.request_bytes},
                                                           {"response_bytes", sent.response_bytes},
                                                           {"remote_address", request_->remote_address},
                                                           {"request_id", request_->request_id},
                                                           {"sent", sent.status.message()}};
  if (failed) {
    runtime::LogLimited(level, "request", absl::StrCat(ClientNetwork(request_->remote_address), " ", response.status),
                        fields);
  } else {
    runtime::Log(level, "request", fields);
  }
  return now;
}

Response RefuseRequest(WorkerContext& worker, Request* request, int status, absl::string_view message) {
  request->request_id = worker.request_ids.Next();
  Response response = worker.server.handler->Refuse(status, message);
  const auto is_allow = [](const auto& field) { return field.first == "Allow"; };
  if (status == 405 && std::none_of(response.fields.begin(), response.fields.end(), is_allow)) {
    response.fields.emplace_back("Allow", "GET, HEAD, PUT, POST, PATCH, DELETE");
  }
  worker.server.metrics->CountRefused(status);
  if (runtime::LogEnabled(LogLevel::kDebug)) {
    runtime::Log(LogLevel::kDebug, "refused a request",
                 {{"status", status},
                  {"reason", message},
                  {"request_id", request->request_id},
                  {"remote_address", request->remote_address}});
  }
  return response;
}

}  // namespace entrepot::gateway::http
