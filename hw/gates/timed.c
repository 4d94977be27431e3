/* Event-driven simulation of one netlist with ramps: see timed.py for the model. Times in ps, voltages over the supply.
 *
 * Nodes 0 .. nets-1 are nets, nets .. nets+gates-1 the inner nodes of the gates. A node moves on a ramp towards `goal`;
 * its readers see it change when it crosses one half. All ends of ramps that a later drive cuts off are partial swings.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PINS 6
#define POINTS 8

typedef struct {                      /* one output of one cell */
    int32_t pins, in[PINS], out;
    int32_t points;                   /* of the slew axis */
    uint64_t truth;                   /* bit k: output for input bits k */
    double slew[POINTS];              /* ps, 20 to 80 % */
    double delay[PINS][2][POINTS];    /* by pin and output edge (0 fall, 1 rise), ps */
    double ramp[PINS][2][POINTS];     /* full output ramp, ps */
} gate_t;

typedef struct { double at, from, rate, ramp; int goal, seen; uint32_t version; } node_t;
typedef struct { double at; uint32_t order, version; int32_t node; } event_t;

typedef struct {
    int nets, gates, count, size, counting;
    const gate_t *gate;
    const int32_t *first, *reader;    /* readers of net n: reader[first[n]] .. reader[first[n + 1] - 1], gate * PINS + pin */
    node_t *node;
    int *target;                      /* of each gate */
    double *pending;                  /* output ramp that follows the inner node's crossing */
    event_t *heap;
    uint32_t order;
    double *moved[2];                 /* by node: falls, rises */
} sim_t;

static int before(const event_t *a, const event_t *b) {
    return a->at < b->at || (a->at == b->at && (int32_t)(a->order - b->order) < 0);
}

static void push(sim_t *s, double at, int node) {
    if (s->count == s->size) s->heap = realloc(s->heap, (s->size *= 2) * sizeof *s->heap);
    event_t e = { at, s->order++, s->node[node].version, node };
    int k = s->count++;
    for (; k && before(&e, &s->heap[(k - 1) / 2]); k = (k - 1) / 2) s->heap[k] = s->heap[(k - 1) / 2];
    s->heap[k] = e;
}

static event_t pop(sim_t *s) {
    event_t top = s->heap[0], e = s->heap[--s->count];
    int k = 0;
    for (;;) {
        int c = 2 * k + 1;
        if (c >= s->count) break;
        if (c + 1 < s->count && before(&s->heap[c + 1], &s->heap[c])) c++;
        if (!before(&s->heap[c], &e)) break;
        s->heap[k] = s->heap[c];
        k = c;
    }
    s->heap[k] = e;
    return top;
}

static double value(const node_t *n, double at) {
    double v = n->from + (at > n->at ? (at - n->at) * n->rate : 0);
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

static void stop(sim_t *s, int k, double at) {          /* ends the ramp of a node, counts what it moved */
    node_t *n = &s->node[k];
    double v = value(n, at), d = v - n->from;
    if (s->counting && d) s->moved[d > 0][k] += d > 0 ? d : -d;
    n->from = v;
    n->at = at;
}

static void drive(sim_t *s, int k, int goal, double start, double ramp, double now) {
    node_t *n = &s->node[k];
    if (start < n->at) start = n->at;
    stop(s, k, start);
    n->goal = goal;
    n->ramp = ramp;
    n->rate = (goal ? 1 : -1) / ramp;
    n->version++;
    if (n->seen != goal) {
        double left = goal ? 0.5 - n->from : n->from - 0.5, at = start + (left > 0 ? left * ramp : 0);
        push(s, at > now ? at : now, k);
    }
}

static double at_slew(const gate_t *g, const double *table, double slew) {
    int i = 0;
    if (g->points == 1) return table[0];
    while (i < g->points - 2 && slew > g->slew[i + 1]) i++;
    double u = (slew - g->slew[i]) / (g->slew[i + 1] - g->slew[i]);
    return table[i] + u * (table[i + 1] - table[i]);
}

static int output(const sim_t *s, const gate_t *g) {
    int k = 0;
    for (int p = 0; p < g->pins; p++) k |= s->node[g->in[p]].seen << p;
    return g->truth >> k & 1;
}

static void crossed(sim_t *s, const event_t *e) {
    node_t *n = &s->node[e->node];
    n->seen = n->goal;
    if (e->node >= s->nets) {                           /* an inner node: its output begins */
        int g = e->node - s->nets;
        drive(s, s->gate[g].out, n->goal, e->at, s->pending[g], e->at);
        return;
    }
    double slew = 0.6 * n->ramp;
    for (int r = s->first[e->node]; r < s->first[e->node + 1]; r++) {
        int k = s->reader[r] / PINS, pin = s->reader[r] % PINS;
        const gate_t *g = &s->gate[k];
        int goal = output(s, g);
        if (goal == s->target[k]) continue;
        s->target[k] = goal;
        double delay = at_slew(g, g->delay[pin][goal], slew), ramp = at_slew(g, g->ramp[pin][goal], slew);
        if (ramp < 1) ramp = 1;
        double inner = 2 * delay - ramp;
        if (inner > 1) {
            s->pending[k] = ramp;
            drive(s, s->nets + k, goal, e->at, inner, e->at);
        } else {                                        /* one stage: it begins before its input is half way */
            node_t *m = &s->node[s->nets + k];
            stop(s, s->nets + k, e->at);
            m->from = m->goal = m->seen = goal;
            m->rate = 0;
            m->version++;
            drive(s, g->out, goal, e->at + inner / 2, ramp, e->at);
        }
    }
}

/* `order`: gates so that drivers come first. `stimulus`: cycles x inputs. `flop`: data net, output net, inversion and
 * enable of each register; `state`: what they hold. `start`: when inputs change, ps, and their ramp; `edge`, `edge_ramp`:
 * by register and direction (0 fall, 1 rise) when a register's output crosses one half and its ramp.
 * `rise`, `fall`: movement of all nodes after `skip` cycles, in full swings. */
void run(int nets, int gates, const gate_t *gate, const int32_t *first, const int32_t *reader, int inputs,
         const int32_t *input, int flops, const int32_t *flop, const uint8_t *state, const double *edge,
         const double *edge_ramp, double start, double input_ramp, long cycles, long skip, const uint8_t *stimulus,
         double *fall, double *rise) {
    int all = nets + gates;
    sim_t s = { .nets = nets, .gates = gates, .size = 4096, .gate = gate, .first = first, .reader = reader };
    s.node = calloc(all, sizeof *s.node);
    s.target = calloc(gates + 1, sizeof *s.target);
    s.pending = calloc(gates + 1, sizeof *s.pending);
    s.heap = malloc(s.size * sizeof *s.heap);
    s.moved[0] = fall;
    s.moved[1] = rise;
    uint8_t *q = malloc(flops + 1);
    memcpy(q, state, flops);
    for (int k = 0; k < all; k++) s.node[k].ramp = 1;
    s.node[1].from = s.node[1].seen = s.node[1].goal = 1; /* the constant one */
    for (long t = 0; t < cycles; t++) {
        if (t) for (int k = 0; k < flops; k++)
            if (s.node[flop[4 * k + 3]].seen) q[k] = s.node[flop[4 * k]].seen ^ flop[4 * k + 2];
        s.counting = t >= skip;
        for (int k = 0; k < inputs; k++) {
            node_t *n = &s.node[input[k]];
            int v = stimulus[t * inputs + k];
            if (!t) n->from = n->seen = n->goal = v;
            else if (v != n->goal) drive(&s, input[k], v, start - input_ramp / 2, input_ramp, 0);
        }
        for (int k = 0; k < flops; k++) {
            node_t *n = &s.node[flop[4 * k + 1]];
            if (!t) n->from = n->seen = n->goal = q[k];
            else if (q[k] != n->goal)
                drive(&s, flop[4 * k + 1], q[k], edge[2 * k + q[k]] - edge_ramp[2 * k + q[k]] / 2,
                      edge_ramp[2 * k + q[k]], 0);
        }
        if (!t) for (int k = 0; k < gates; k++) {
            node_t *n = &s.node[gate[k].out], *m = &s.node[nets + k];
            s.target[k] = output(&s, &gate[k]);
            n->from = n->seen = n->goal = m->from = m->seen = m->goal = s.target[k];
        }
        while (s.count) {
            event_t e = pop(&s);
            if (e.version == s.node[e.node].version) crossed(&s, &e);
        }
        for (int k = 0; k < all; k++) {                 /* all ramps end before the next cycle */
            if (s.node[k].from != s.node[k].goal) stop(&s, k, 1e12);
            s.node[k].at = -1e12;
            s.node[k].rate = 0;
        }
    }
    free(s.node); free(s.target); free(s.pending); free(s.heap); free(q);
}
