"""Shows raw runs as they are processed: waveforms, spectra, settings and jobs in one window.

- session, jobs, data: what a person set, what the machine does, what it found; no Qt
- widgets: parts that know no session; views: one panel each, that know no other view
- bridge: session and jobs as Qt signals, with the one timer; main_window wires the views; app starts it
"""
