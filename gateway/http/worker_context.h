#ifndef ENTREPOT_GATEWAY_HTTP_WORKER_CONTEXT_H_
#define ENTREPOT_GATEWAY_HTTP_WORKER_CONTEXT_H_

#include <chrono>
#include <cstddef>

#include "gateway/http/connection_slots.h"
#include "gateway/http/handler.h"
#include "gateway/http/memory_budget.h"
#include "gateway/http/rate_meter.h"
#include "gateway/http/server_fields.h"
#include "gateway/http/server_metrics.h"
#include "gateway/http/trusted_proxies.h"
#include "services/runtime/threads/executor.h"
#include "services/runtime/tls/certificate_reloader.h"

namespace entrepot::gateway::http {

// What all connections of a server share. The objects that it points to outlive the connections.
struct ServerContext {
  Handler* handler = nullptr;
  size_t header_bytes_max = 0;
  size_t uri_bytes_max = 0;
  size_t authorization_bytes_max = 0;
  size_t token_query_bytes_max = 0;
  std::chrono::nanoseconds idle_timeout{};
  std::chrono::nanoseconds header_timeout{};
  RateMeter meter{{}};
  ServerMetrics* metrics = nullptr;
  ConnectionSlots* slots = nullptr;
  MemoryBudget* memory = nullptr;
  runtime::Executor* executor = nullptr;                 // Reads files that are not in the page cache.
  runtime::CertificateReloader* certificates = nullptr;  // Null without TLS.
  const TrustedProxies* proxies = nullptr;               // Null if none is trusted.
};

// What the connections of one worker share. For the worker's thread only, so it needs no lock.
struct WorkerContext {
  explicit WorkerContext(const ServerContext& server_context)
      : server(server_context), metrics(server_context.metrics) {}

  const ServerContext server;
  bool close_after_responses = false;
  bool draining = false;
  HttpDate date;
  RequestIdSource request_ids;
  RequestMetrics metrics;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_WORKER_CONTEXT_H_
